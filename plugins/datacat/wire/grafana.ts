import { invalid, Type, type Static } from '../../../core/index.ts'
import { statuses, type SessionFilter, type Status } from '../store/filters.ts'
import { stateModes, readStateFilter } from './filter.ts'
import { isObject } from './json.ts'
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
const AdHoc = Type.Object(
  {
    key: Type.String(),
    operator: Type.Optional(Type.String()),
    value: Type.Optional(Type.Union([Type.String(), Type.Number()]))
  },
  loose
)
export const Query = Type.Object(
  {
    range: Type.Optional(Range),
    intervalMs: Type.Optional(Type.Number()),
    maxDataPoints: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    targets: Type.Array(Target, { maxItems: 100 }),
    scopedVars: Type.Optional(Type.Unknown()),
    filters: Type.Optional(Type.Union([Type.Array(AdHoc, { maxItems: 50 }), Type.Null()]))
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
const aggregations = ['all', 'average', 'peak', 'min', 'sum', 'count', 'p50', 'p95', 'p99']
export const adHocColumns = ['product', 'version', 'machine_id'] as const

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
  field('group_by', 'Group by state path'),
  field('status', 'Status', statuses),
  { ...field('product', 'Product'), type: 'select' },
  field('session', 'Session id'),
  ...stateModes.map(mode => field(mode, `State ${mode.replace('_', ' ')} (path=value)`))
]

/** A text for the database, which holds no NUL. */
function textOf(value: string | number | boolean, pointer: string): string {
  if (String(value).includes('\u0000')) throw invalid(pointer, 'holds a NUL character')
  return String(value)
}

/**
 * The data source writes variables into a target as a regular expression: `cpu.load` comes as
 * `cpu\.load`.
 */
export const readMetric = (target: string, pointer: string): string =>
  textOf(target.replaceAll(/\\([\\^$*+?.()|[\]{}/])/g, '$1'), pointer)

/** The payload of a target as texts; older panels send it as a JSON text. */
export function readPayload(payload: Target['payload'], at: string): Map<string, string> {
  if (payload === undefined || payload === null || payload === '') return new Map()
  const fields = typeof payload === 'string' ? parse(payload, at) : payload
  if (!isObject(fields)) throw invalid(at, 'must be an object')
  return new Map(
    Object.entries(fields)
      .filter(([, value]) => value !== '' && value !== null && value !== everything)
      .map(([name, value]) => [name, fieldOf(name, value, `${at}/${name}`)])
  )
}

function fieldOf(name: string, value: unknown, pointer: string): string {
  const names = payloadFields.map(one => one.name)
  if (!names.includes(name))
    throw invalid(pointer, `is not known; a payload has ${names.join(', ')}`)
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return textOf(value, pointer)
  throw invalid(pointer, 'must be a text')
}

function parse(text: string, at: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(at, 'is not valid JSON')
  }
}

/** Which sessions a target and the ad hoc filters of its dashboard ask for. */
export function readFilters(
  fields: ReadonlyMap<string, string>,
  filters: Query['filters'],
  at: string
): SessionFilter {
  const session = fields.get('session')
  const status = fields.get('status')
  const own: SessionFilter = {
    product: fields.get('product'),
    ids: session === undefined ? undefined : [uuidOf(session, `${at}/session`)],
    status: status === undefined ? undefined : statusOf(status, `${at}/status`),
    states: stateModes.flatMap(mode => {
      const text = fields.get(mode)
      return text === undefined ? [] : [readStateFilter(mode, text, `${at}/${mode}`)]
    })
  }
  return (filters ?? []).reduce(withAdHoc, own)
}

function withAdHoc(
  filter: SessionFilter,
  { key, operator = '=', value: given }: Static<typeof AdHoc>,
  n: number
): SessionFilter {
  const pointer = `/body/filters/${n}`
  if (operator !== '=') throw invalid(`${pointer}/operator`, `is '${operator}'; only = is known`)
  const value = given === undefined ? '' : textOf(given, `${pointer}/value`)
  if (key === 'product') return { ...filter, product: value }
  if (key === 'version') return { ...filter, version: value }
  if (key === 'machine_id') return { ...filter, machineId: value }
  if (key === 'status') return { ...filter, status: statusOf(value, `${pointer}/value`) }
  return { ...filter, states: [...filter.states, { mode: 'current', path: key, value }] }
}

function uuidOf(text: string, pointer: string): string {
  if (!isSessionId(text)) throw invalid(pointer, 'is no session id')
  return text.toLowerCase()
}

const isStatus = (text: string): text is Status => (statuses as readonly string[]).includes(text)
function statusOf(text: string, pointer: string): Status {
  if (!isStatus(text)) throw invalid(pointer, `must be one of ${statuses.join(', ')}`)
  return text
}
