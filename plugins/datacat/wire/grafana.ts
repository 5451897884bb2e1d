import { invalid, Type, type Static } from '../../../core/index.ts'
import { statuses, type Condition, type SessionFilter } from '../store/filters.ts'
import { AdHoc, readAdHoc, readStatuses, textOf } from './ad-hoc.ts'
import { readPathValue, stateModes } from './filter.ts'
import { isObject } from './json.ts'
import { choicesOf, equalTo, unescaped, valuesOf } from './match.ts'
import { isSessionId } from './session-id.ts'

// The data source sends whatever a panel holds: what is not known here is none of our business.
const loose = { additionalProperties: true } as const
const Range = Type.Object(
  {
    from: Type.Union([Type.String(), Type.Number()]),
    to: Type.Union([Type.String(), Type.Number()])
  },
  loose
)
const Payload = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.String(), Type.Null()])
export const Target = Type.Object(
  {
    target: Type.Optional(Type.String()),
    refId: Type.Optional(Type.String()),
    payload: Type.Optional(Payload),
    hide: Type.Optional(Type.Boolean())
  },
  loose
)
// Old versions of the data source send them under the other name.
const Filters = Type.Optional(Type.Union([Type.Array(AdHoc, { maxItems: 50 }), Type.Null()]))
export const Query = Type.Object(
  {
    range: Type.Optional(Range),
    intervalMs: Type.Optional(Type.Number()),
    maxDataPoints: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    targets: Type.Array(Target, { maxItems: 100 }),
    scopedVars: Type.Optional(Type.Unknown()),
    filters: Filters,
    adhocFilters: Filters
  },
  loose
)
export const MetricsQuestion = Type.Object({ metric: Type.Optional(Type.String()) }, loose)
export const OptionsQuestion = Type.Object(
  {
    name: Type.String(),
    metric: Type.Optional(Type.String()),
    payload: Type.Optional(Type.Unknown())
  },
  loose
)
export const VariableQuestion = Type.Object(
  {
    payload: Type.Object({ target: Type.String() }, loose),
    range: Type.Optional(Type.Unknown())
  },
  loose
)
export const KeysQuestion = Type.Object({}, loose)
export const ValuesQuestion = Type.Object({ key: Type.String() }, loose)
export type Target = Static<typeof Target>
export type Query = Static<typeof Query>

/** What the data source reads, in its own words. */
export interface Option {
  readonly label: string
  readonly value: string
}
/** A field of a query, as the editor of a panel shows it. */
export interface PayloadSpec {
  readonly label: string
  readonly name: string
  readonly type: string
  readonly width: number
  readonly options?: readonly Option[]
}
export interface TimeSeries {
  readonly target: string
  readonly datapoints: readonly (readonly [number, number])[]
  readonly refId?: string
}
export interface Table {
  readonly type: 'table'
  readonly columns: readonly { readonly text: string; readonly type: string }[]
  readonly rows: readonly (readonly (string | number)[])[]
  readonly refId?: string
}

/** What Grafana sends for a variable on "All" whose custom value is this. */
const everything = '*'
const maxMetrics = 20
const aggregations = ['all', 'average', 'peak', 'min', 'sum', 'count', 'p50', 'p95', 'p99']

const field = (name: string, label: string, options?: readonly string[]): PayloadSpec => ({
  name,
  label,
  type: options ? 'select' : 'input',
  width: 30,
  ...(options ? { options: options.map(value => ({ label: value, value })) } : {})
})
/** The fields a query may have; options of products are read when they are asked for. */
export const payloadFields: readonly PayloadSpec[] = [
  field('aggregation', 'Aggregation', aggregations),
  field('per', 'One point for each', ['time', 'session']),
  field('group_by', 'Group by state path, tag:KEY or tag:*'),
  field('status', 'Status', statuses),
  { ...field('product', 'Product'), type: 'select' },
  field('session', 'Session id'),
  field('tag', 'Tag of the metric'),
  field('unit', 'Unit of the metric'),
  ...stateModes.map(mode => field(mode, `State ${mode.replace('_', ' ')} (path=value)`))
]

/**
 * The metrics of a target. The data source writes variables into it as a regular expression:
 * `cpu.load` comes as `cpu\.load`, several as `(cpu|memory)`.
 */
export function readMetrics(target: string, pointer: string): string[] {
  const names = choicesOf(textOf(target, pointer))
  if (names.length <= maxMetrics) return names
  throw invalid(pointer, `names ${names.length} metrics; a target has at most ${maxMetrics}`)
}

/** The fields of a payload, each with its values as they were written. */
export type PayloadFields = ReadonlyMap<string, readonly string[]>

/** The payload of a target as texts; older panels send it as a JSON text. */
export function readPayload(payload: Target['payload'], at: string): PayloadFields {
  if (payload === undefined || payload === null || payload === '') return new Map()
  const fields = typeof payload === 'string' ? parse(payload, at) : payload
  if (!isObject(fields)) throw invalid(at, 'must be an object')
  const found = Object.entries(fields).map(
    ([name, value]) => [name, fieldOf(name, value, `${at}/${name}`)] as const
  )
  return new Map(found.filter(([, texts]) => texts.length > 0))
}

function fieldOf(name: string, value: unknown, pointer: string): string[] {
  const names = payloadFields.map(one => one.name)
  if (!names.includes(name))
    throw invalid(pointer, `is not known; a payload has ${names.join(', ')}`)
  const texts = [value].flat().map(one => {
    if (one === null) return ''
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
      return textOf(one, pointer)
    throw invalid(pointer, 'must be a text, or a list of texts')
  })
  return texts.includes(everything) ? [] : texts.filter(text => text !== '')
}

function parse(text: string, at: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(at, 'is not valid JSON')
  }
}

/** The one text of a field; of several it is the first. */
export function readText(fields: PayloadFields, name: string): string | undefined {
  const [first] = fields.get(name) ?? []
  return first === undefined ? undefined : unescaped(first)
}

/** Which sessions a target and the ad hoc filters of its dashboard ask for. */
export function readFilters(
  fields: PayloadFields,
  { filters, adhocFilters }: Pick<Query, 'filters' | 'adhocFilters'>,
  at: string
): SessionFilter {
  const adHoc = [
    ...(filters ?? []).map((one, n) => readAdHoc(one, `/body/filters/${n}`)),
    ...(adhocFilters ?? []).map((one, n) => readAdHoc(one, `/body/adhocFilters/${n}`))
  ]
  const sessions = fields.get('session')?.flatMap(choicesOf)
  return {
    ids: sessions?.map(text => uuidOf(text, `${at}/session`)),
    where: [...fieldConditions(fields, at), ...adHoc]
  }
}

function fieldConditions(fields: PayloadFields, at: string): Condition[] {
  const [product, status, tag] = ['product', 'status', 'tag'].map(name => fields.get(name))
  const conditions: Condition[] = []
  if (product)
    conditions.push({
      kind: 'text',
      column: 'product',
      match: equalTo(product.flatMap(valuesOf))
    })
  if (status)
    conditions.push({
      kind: 'status',
      isNot: false,
      statuses: readStatuses(status, `${at}/status`)
    })
  if (tag) conditions.push({ kind: 'tag', key: null, match: equalTo(tag.flatMap(valuesOf)) })
  for (const mode of stateModes)
    for (const text of fields.get(mode) ?? []) {
      const { path, value } = readPathValue(text, `${at}/${mode}`)
      const match = equalTo(valuesOf(value))
      conditions.push({ kind: 'state', mode, path: unescaped(path), match })
    }
  return conditions
}

function uuidOf(text: string, pointer: string): string {
  if (!isSessionId(text)) throw invalid(pointer, 'is no session id')
  return text.toLowerCase()
}
