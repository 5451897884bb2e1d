import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null

const text = { type: 'string' }
const list = (items: object): object => ({ type: 'array', items })
const object = (required: readonly string[], properties: object): object => ({
  type: 'object',
  required,
  properties
})
const options = list(object(['value'], { label: text, value: text }))

/** What the data source of Grafana expects of each answer, in our own words; by path. */
const ownSchemas: Readonly<Record<string, object>> = {
  '/metrics': list(
    object(['value', 'payloads'], {
      label: text,
      value: text,
      payloads: list(
        object(['name'], {
          name: text,
          label: text,
          type: { enum: ['select', 'multi-select', 'input', 'textarea'] },
          options
        })
      )
    })
  ),
  '/metric-payload-options': options,
  '/query': list({
    anyOf: [
      object(['target', 'datapoints'], {
        target: text,
        datapoints: list({ type: 'array', minItems: 2, maxItems: 2, items: { type: 'number' } })
      }),
      object(['type', 'columns', 'rows'], {
        type: { const: 'table' },
        columns: list(object(['text'], { text, type: text })),
        rows: list(list({ type: ['string', 'number'] }))
      })
    ]
  }),
  '/variable': list(object(['text', 'value'], { __text: text, __value: text })),
  '/tag-keys': list(object(['text'], { type: text, text })),
  '/tag-values': list(object(['text'], { text }))
}

/** Checks of every answer that need no description from elsewhere. */
export const answerChecks: ReadonlyMap<string, ValidateFunction> = new Map(
  Object.entries(ownSchemas).map(([path, schema]) => [
    path,
    new Ajv2020({ strict: false, allErrors: true }).compile(schema)
  ])
)

/** OpenAPI 3.0 as JSON Schema: `nullable` is another type, `example` is nothing. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  const { nullable, example: _example, ...rest } = value
  const out = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, plain(inner)]))
  return nullable === true ? { anyOf: [out, { type: 'null' }] } : out
}

interface Table {
  readonly example: unknown
  items: unknown
}
interface Operation {
  readonly responses: { readonly '200': { readonly content?: Json } }
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
const pathOfTable =
  'paths /query post responses 200 content application/json schema items anyOf 1 properties rows'

/**
 * The one place where the description contradicts its own example is put right; when it no longer does, this
 * says so.
 */
function mendTable(description: Description): void {
  const rows = pathOfTable
    .split(' ')
    .reduce<unknown>(
      (inner, key) => (isObject(inner) ? inner[key] : undefined),
      description
    ) as Table
  const accepts = (): boolean => {
    const check = new Ajv2020({ strict: false }).compile(plain(rows) as object)
    return check(rows.example)
  }
  assert.equal(
    accepts(),
    false,
    'the description no longer contradicts its own example of a table: take the exception away'
  )
  rows.items = { type: 'array', items: rows.items }
  assert.equal(accepts(), true)
}

/** How the description of the data source checks each answer, by path; undefined where it describes none. */
export function readDescription(file: string): Map<string, ValidateFunction | undefined> {
  const raw = parse(readFileSync(file, 'utf8')) as Description
  mendTable(raw)
  const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema(
    plain(raw) as object,
    'grafana'
  )
  const checks = new Map<string, ValidateFunction | undefined>()
  for (const [path, methods] of Object.entries(raw.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const where = `paths/${path.replaceAll('/', '~1')}/${method}/responses/200/content`
      checks.set(
        path,
        operation.responses['200'].content &&
          ajv.compile({ $ref: `grafana#/${where}/application~1json/schema` })
      )
    }
  return checks
}
