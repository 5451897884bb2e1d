import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { createRouter } from '../routes/route.ts'
import { routes } from '../routes/all-routes.ts'
import { accountOf, startSimulator } from './client.ts'
import { tour, type Step } from './tour.ts'

const folder = new URL('../../../shared/data/datadog-openapi/', import.meta.url)
type Json = Record<string, any>

/** Where reality, as recorded, is not what the description says (datadog-api.md 3); the simulator is like reality. */
const exceptions: readonly (readonly [string, RegExp, string])[] = [
  ['v1.EventsApi.createEvent', /\/event\/tags/, 'recorded: tags is null when none were sent'],
  ['v1.EventsApi.', /\/device_name/, 'recorded: device_name is null'],
  ['v1.SyntheticsApi.', /metadata/, 'recorded: metadata of a private location is null'],
  ['v1.HostsApi.', /installer_version/, 'recorded: installer_version is null'],
  [
    'v2.IncidentsApi.searchIncidents',
    /\/included|\/facets|field_analytics|customer_impact/,
    'recorded: more than users is included, and facets count in several types'
  ]
]

/** OpenAPI 3.0 as JSON Schema: `nullable` is another type, `example` is nothing, readOnly required fields stay. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, example: _example, ...rest } = value as Json
  const out = Object.fromEntries(
    Object.entries(rest)
      .filter(([key]) => !key.startsWith('x-') && key !== 'discriminator' && key !== 'xml')
      .map(([key, inner]) => [key, plain(inner)])
  ) as Json
  for (const [limit, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum']
  ] as const)
    if (typeof out[exclusive] === 'boolean') {
      if (out[exclusive]) {
        out[exclusive] = out[limit]
        delete out[limit]
      } else delete out[exclusive]
    }
  if (nullable !== true) return out
  if (typeof out['type'] === 'string' && !out['enum'])
    return { ...out, type: [out['type'], 'null'] }
  return { anyOf: [out, { type: 'null' }] }
}

function validators(
  version: 'v1' | 'v2'
): (path: string, method: string, status: number) => ValidateFunction | undefined {
  const file = new URL(`rayne.${version}.json`, folder)
  assert.ok(existsSync(file), `the API description is not at ${file.pathname}`)
  const description = plain(JSON.parse(readFileSync(file, 'utf8'))) as Json
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false })
  ;(addFormatsModule as unknown as (instance: Ajv2020) => void)(ajv)
  ajv.addSchema(description, version)
  const point = (text: string): string => text.replaceAll('~', '~0').replaceAll('/', '~1')
  return (path, method, status) => {
    const content = description['paths'][path]?.[method]?.responses?.[String(status)]
    const media = content && Object.keys(content.content ?? {})[0]
    if (!media) return undefined
    return ajv.compile({
      $ref: `${version}#/paths/${point(path)}/${method}/responses/${status}/content/${point(media)}/schema`
    })
  }
}

/** The path of the description that a path of ours is an instance of. */
const templateOf = (paths: readonly string[], path: string): string | undefined => {
  const segments = path.split('/')
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

test('every answer validates against the API description, but for the documented exceptions', async context => {
  const simulator = await startSimulator(context)
  const steps = await tour(accountOf(simulator))
  const find = createRouter(routes)
  const seen = new Set<string>()
  const problems: string[] = []
  const used = new Set<number>()
  let compared = 0
  const known = { v1: validators('v1'), v2: validators('v2') }
  const paths = Object.fromEntries(
    (['v1', 'v2'] as const).map(version => [
      version,
      Object.keys(
        (JSON.parse(readFileSync(new URL(`rayne.${version}.json`, folder), 'utf8')) as Json)[
          'paths'
        ]
      )
    ])
  ) as Record<'v1' | 'v2', string[]>
  for (const step of steps) {
    const op = find(step.method, step.path.split('?')[0] ?? '')?.route.op ?? ''
    seen.add(op)
    const version = step.path.startsWith('/api/v2') ? 'v2' : 'v1'
    const template = templateOf(paths[version], step.path.split('?')[0] ?? '')
    const validate =
      template === undefined
        ? undefined
        : known[version](template, step.method.toLowerCase(), step.status)
    if (!validate || step.body === undefined) continue
    compared++
    if (!validate(step.body)) {
      const error = validate.errors?.[0]
      const index = exceptions.findIndex(
        ([prefix, where]) =>
          op.startsWith(prefix) && validate.errors?.some(one => where.test(one.instancePath))
      )
      if (index < 0)
        problems.push(
          `${op} ${step.status} ${error?.instancePath}: ${error?.message} ${JSON.stringify(error?.params)}`
        )
      else used.add(index)
    }
  }
  assert.deepEqual(problems, [])
  assert.deepEqual(
    exceptions.filter((_, i) => !used.has(i)).map(([op, , why]) => `${op} ${why}`),
    [],
    'exceptions that nothing needs'
  )
  assert.ok(compared >= 90, `only ${compared} answers were compared`)
  const missing = routes.filter(route => !route.page && !seen.has(route.op)).map(route => route.op)
  assert.deepEqual(missing, [], 'the tour visits every operation')
  assert.ok(
    simulator.journal().every(entry => entry.unknown_route === undefined && entry.status < 500)
  )
})

test('what is created can be read, listed, changed and deleted, and is gone then, with the recorded statuses', async context => {
  const simulator = await startSimulator(context)
  const steps = await tour(accountOf(simulator))
  const statuses = (op: string): number[] =>
    steps.filter((step: Step) => step.note === op).map(step => step.status)
  const laws: Readonly<Record<string, readonly number[]>> = {
    'monitor life': [200, 200, 200, 200, 404, 404],
    'downtime life': [200, 200, 200, 204, 204, 200],
    'old downtime life': [200, 200, 200, 204],
    'notebook life': [200, 200, 200, 204, 404, 404],
    'webhook life': [201, 200, 200, 200, 404, 404],
    'slo life': [200, 200, 200, 200, 404, 404],
    'incident life': [201, 200, 200, 204, 404, 404],
    'rum life': [200, 200, 200, 204, 404, 204],
    'definition life': [200, 200, 204, 404, 404],
    'location life': [200, 200, 200, 204, 404, 404],
    'tag life': [201, 200, 201, 204],
    'mute life': [200, 400, 200, 400]
  }
  for (const [name, wanted] of Object.entries(laws)) assert.deepEqual(statuses(name), wanted, name)
})
