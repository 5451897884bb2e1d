import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Step } from './tour.ts'

type Json = Readonly<Record<string, unknown>>
interface Response {
  readonly content?: Readonly<Record<string, unknown>>
}
interface Operation {
  readonly responses?: Readonly<Record<string, Response>>
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null

/** OpenAPI 3.0 as JSON Schema: `nullable` is another type, `example` is nothing, readOnly required fields stay. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  const { nullable, example: _example, discriminator: _d, xml: _xml, ...rest } = value
  const entries = Object.entries(rest).filter(([key]) => !key.startsWith('x-'))
  const schema: Json = withBounds(
    Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]))
  )
  if (nullable !== true) return schema
  const type = schema['type']
  return typeof type === 'string' && !schema['enum']
    ? { ...schema, type: [type, 'null'] }
    : { anyOf: [schema, { type: 'null' }] }
}

/** `exclusiveMinimum: true` beside a `minimum` is the minimum itself, excluded. */
function withBounds(schema: Readonly<Record<string, unknown>>): Json {
  const out: Record<string, unknown> = { ...schema }
  for (const [limit, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum']
  ] as const) {
    if (typeof out[exclusive] !== 'boolean') continue
    const isExcluded = out[exclusive]
    delete out[exclusive]
    if (!isExcluded) continue
    out[exclusive] = out[limit]
    delete out[limit]
  }
  return out
}

/** The path of a description that a path of ours is an instance of. */
function templateOf(paths: readonly string[], asked: string): string | undefined {
  const segments = asked.split('/')
  return paths
    .filter(one => {
      const parts = one.split('/')
      return (
        parts.length === segments.length &&
        parts.every((part, i) => part.startsWith('{') || part === segments[i])
      )
    })
    .toSorted((a, b) => a.split('{').length - b.split('{').length)[0]
}

const point = (text: string): string => text.replaceAll('~', '~0').replaceAll('/', '~1')

function validators(file: string): (step: Step) => ValidateFunction | undefined {
  const description = plain(JSON.parse(readFileSync(file, 'utf8'))) as Json & Description
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false })
  ajv.addSchema(description, 'api')
  return step => {
    const asked = step.path.split('?')[0] ?? ''
    const template = templateOf(Object.keys(description.paths), asked)
    const method = step.method.toLowerCase()
    const response =
      template && description.paths[template]?.[method]?.responses?.[String(step.status)]
    const media = response && Object.keys(response.content ?? {})[0]
    if (!template || !media) return undefined
    const where = `${point(template)}/${method}/responses/${step.status}/content/${point(media)}`
    return ajv.compile({ $ref: `api#/paths/${where}/schema` })
  }
}

/**
 * Reads the description of both versions of the API; gives what checks the answer of a step, where it describes
 * one.
 */
export function readApiDescription(folder: string): (step: Step) => ValidateFunction | undefined {
  const [v1, v2] = ['v1', 'v2'].map(version =>
    validators(path.join(folder, `rayne.${version}.json`))
  )
  return step => (step.path.startsWith('/api/v2') ? v2 : v1)?.(step)
}
