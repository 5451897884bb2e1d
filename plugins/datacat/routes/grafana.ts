import {
  invalid,
  compile,
  readBytes,
  Type,
  type Knex,
  type PluginApp,
  type Static,
  type TSchema
} from '../../../core/index.ts'
import { readChart, type ChartGroup } from '../service/chart.ts'
import { summaryOf } from '../service/wire-out.ts'
import { catalogueStore } from '../store/catalogue.ts'
import { statuses, type SessionFilter, type StateFilter, type Status } from '../store/filters.ts'
import { listStore } from '../store/list.ts'
import { parseBody } from '../wire/batch.ts'
import { isObject } from '../wire/json.ts'
import { isSessionId } from '../wire/session-id.ts'
import { readStateFilter } from '../wire/filter.ts'
import { readTime } from '../wire/time.ts'
import { readAggregation } from './series.ts'

// The data source sends whatever a panel holds: what is not known here is none of our business.
const loose = { additionalProperties: true } as const
const Payload = Type.Record(Type.String(), Type.Unknown())
const Range = Type.Object(
  {
    from: Type.Union([Type.String(), Type.Number()]),
    to: Type.Union([Type.String(), Type.Number()])
  },
  loose
)
const Target = Type.Object(
  {
    target: Type.Optional(Type.String()),
    refId: Type.Optional(Type.String()),
    payload: Type.Optional(Type.Union([Payload, Type.String(), Type.Null()])),
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
const Query = Type.Object(
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

/** What the data source reads, in its own words. */
interface Option {
  readonly label: string
  readonly value: string
}
interface PayloadSpec {
  readonly label: string
  readonly name: string
  readonly type: string
  readonly width: number
  readonly options?: readonly Option[]
}
interface TimeSeries {
  readonly target: string
  readonly datapoints: readonly (readonly [number, number])[]
  readonly refId?: string
}
interface Table {
  readonly type: 'table'
  readonly columns: readonly { readonly text: string; readonly type: string }[]
  readonly rows: readonly (readonly (string | number)[])[]
  readonly refId?: string
}

// A data source asks with POST and changes nothing, so that a token which may only read is enough.
const reader = 'scope:read'
const sessionsTarget = 'sessions'
// What Grafana sends for a variable on "All" whose custom value is this.
const everything = '*'
const aggregations = ['all', 'average', 'peak', 'min', 'sum', 'count', 'p50', 'p95', 'p99']
const adHocColumns = ['product', 'version', 'machine_id']
const modes = ['current', 'ever', 'contains', 'ever_contains'] as const
const field = (name: string, label: string, options?: readonly string[]): PayloadSpec => ({
  name,
  label,
  type: options ? 'select' : 'input',
  width: 30,
  ...(options ? { options: options.map(value => ({ label: value, value })) } : {})
})
const payloads: PayloadSpec[] = [
  field('aggregation', 'Aggregation', aggregations),
  field('per', 'One point for each', ['time', 'session']),
  field('group_by', 'Group by state path'),
  field('status', 'Status', statuses),
  { ...field('product', 'Product'), type: 'select' },
  field('session', 'Session id'),
  ...modes.map(mode => field(mode, `State ${mode.replace('_', ' ')} (path=value)`))
]

/** The contract of Grafana's JSON data source (simPod), beside the first version's export. */
export function grafanaRoutes(app: PluginApp<unknown>, db: Knex): void {
  app.raw('GET', '/api/grafana', { summary: 'Grafana: test the connection', auth: 'user' }, ctx => {
    ctx.status = 200
    ctx.set('content-type', 'application/json')
    ctx.body = '{"status":"ok"}'
  })
  const post = grafanaPost(app)
  post(
    '/metrics',
    'Grafana: metrics a panel can choose',
    Type.Object({ metric: Type.Optional(Type.String()) }, loose),
    async () => {
      const metrics = await listStore.metrics(db)
      return [
        { label: 'Sessions (table)', value: sessionsTarget, payloads },
        ...metrics.map(({ name, unit }) => ({
          label: unit ? `${name} (${unit})` : name,
          value: name,
          payloads
        }))
      ]
    }
  )
  post(
    '/metric-payload-options',
    'Grafana: options of a field of a query',
    Type.Object(
      {
        name: Type.String(),
        metric: Type.Optional(Type.String()),
        payload: Type.Optional(Type.Unknown())
      },
      loose
    ),
    async ({ name }) => {
      const known = payloads.find(one => one.name === name)
      if (!known)
        throw invalid('/body/name', `must be one of ${payloads.map(one => one.name).join(', ')}`)
      return name === 'product'
        ? (await listStore.products(db)).map(({ product }) => ({ label: product, value: product }))
        : (known.options ?? [])
    }
  )
  post('/query', 'Grafana: data of a panel', Query, async query =>
    (
      await Promise.all(
        query.targets.map((target, n) =>
          target.target && !target.hide ? answerTarget(db, query, target, n) : []
        )
      )
    ).flat()
  )
  post(
    '/variable',
    'Grafana: values of a variable: products, versions, metrics, sessions, or values of a state path',
    Type.Object(
      {
        payload: Type.Object({ target: Type.String() }, loose),
        range: Type.Optional(Type.Unknown())
      },
      loose
    ),
    async ({ payload }) =>
      (await catalogueStore.values(db, payload.target, 1_000)).map(value => ({
        text: value,
        value,
        __text: value,
        __value: value
      }))
  )
  post('/tag-keys', 'Grafana: keys of ad hoc filters', Type.Object({}, loose), async () =>
    [...new Set([...adHocColumns, 'status', ...(await catalogueStore.paths(db, 500))])].map(
      text => ({ type: 'string', text })
    )
  )
  post(
    '/tag-values',
    'Grafana: values of an ad hoc filter',
    Type.Object({ key: Type.String() }, loose),
    async ({ key }) =>
      (key === 'status' ? [...statuses] : await catalogueStore.values(db, key, 500)).map(text => ({
        text
      }))
  )
}

type Target = Static<typeof Target>
type Query = Static<typeof Query>

async function answerTarget(
  db: Knex,
  query: Query,
  { target = '', payload, refId }: Target,
  n: number
): Promise<(TimeSeries | Table)[]> {
  const at = `/body/targets/${n}/payload`
  const fields = payloadOf(payload, at)
  const filter = filterOf(fields, query, at)
  const of = refId === undefined ? {} : { refId }
  const [from, to] = query.range
    ? [readTime(query.range.from, '/body/range/from'), readTime(query.range.to, '/body/range/to')]
    : [null, null]
  const budget = Math.min(20_000, Math.max(10, Math.floor(query.maxDataPoints ?? 1_500)))
  if (target === sessionsTarget)
    return [
      {
        ...(await sessionTable(db, {
          ...filter,
          ...(from === null ? {} : { from }),
          ...(to === null ? {} : { to })
        })),
        ...of
      }
    ]
  const metric = metricOf(target, `/body/targets/${n}/target`)
  const word = fields['aggregation'] ?? 'all'
  const chart = await readChart(db, {
    metric,
    filter,
    from,
    to,
    budget,
    groupBy: fields['group_by'] ?? null,
    aggregation: readAggregation(word, `${at}/aggregation`),
    per: word !== 'all' && fields['per'] === 'session' ? 'session' : 'time'
  })
  return chart.groups.map((group: ChartGroup) => ({
    target: group.group === null ? metric : `${metric} ${group.group}`,
    datapoints: group.points.map(({ at: time, value }) => [value, time]),
    ...of
  }))
}

/** A text for the database, which holds no NUL. */
const textOf = (value: string | number | boolean, pointer: string): string => {
  if (String(value).includes('\u0000')) throw invalid(pointer, 'holds a NUL character')
  return String(value)
}

/** The data source writes variables into a target as a regular expression: `cpu.load` comes as `cpu\.load`. */
const metricOf = (target: string, pointer: string): string =>
  textOf(target.replaceAll(/\\([\\^$*+?.()|[\]{}/])/g, '$1'), pointer)

/** The payload of a target as texts; older panels send it as a JSON text. */
function payloadOf(payload: Target['payload'], at: string): Record<string, string> {
  if (payload == null || payload === '') return {}
  let fields: unknown = payload
  if (typeof payload === 'string')
    try {
      fields = JSON.parse(payload)
    } catch {
      throw invalid(at, 'is not valid JSON')
    }
  if (!isObject(fields)) throw invalid(at, 'must be an object')
  const known = new Set(payloads.map(one => one.name))
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== '' && value !== null && value !== everything)
      .map(([name, value]) => {
        if (!known.has(name))
          throw invalid(`${at}/${name}`, `is not known; a payload has ${[...known].join(', ')}`)
        if (typeof value === 'object' || value === null)
          throw invalid(`${at}/${name}`, 'must be a text')
        return [name, textOf(value, `${at}/${name}`)]
      })
  )
}

function filterOf(fields: Record<string, string>, { filters }: Query, at: string): SessionFilter {
  const states: StateFilter[] = modes.flatMap(mode =>
    fields[mode] === undefined ? [] : [stateOf(mode, fields[mode], `${at}/${mode}`)]
  )
  const found: { -readonly [K in keyof SessionFilter]: SessionFilter[K] } = {
    states,
    product: fields['product'],
    ids: fields['session'] === undefined ? undefined : [uuidOf(fields['session'], `${at}/session`)],
    status: fields['status'] === undefined ? undefined : statusOf(fields['status'], `${at}/status`)
  }
  for (const [n, { key, operator = '=', value: given = '' }] of (filters ?? []).entries()) {
    const pointer = `/body/filters/${n}`
    if (operator !== '=') throw invalid(`${pointer}/operator`, `is '${operator}'; only = is known`)
    const value = textOf(given, `${pointer}/value`)
    if (key === 'product') found.product = value
    else if (key === 'version') found.version = value
    else if (key === 'machine_id') found.machineId = value
    else if (key === 'status') found.status = statusOf(value, `${pointer}/value`)
    else states.push({ mode: 'current', path: key, value })
  }
  return found
}

const stateOf = (mode: StateFilter['mode'], text: string, pointer: string): StateFilter => {
  if (text.indexOf('=') < 1)
    throw invalid(pointer, 'must be path=value, e.g. application.status=running')
  return readStateFilter(mode, text)
}
const uuidOf = (text: string, pointer: string): string => {
  if (!isSessionId(text)) throw invalid(pointer, 'is no session id')
  return text.toLowerCase()
}
const statusOf = (text: string, pointer: string): Status => {
  if (!(statuses as readonly string[]).includes(text))
    throw invalid(pointer, `must be one of ${statuses.join(', ')}`)
  return text as Status
}

async function sessionTable(db: Knex, filter: SessionFilter): Promise<Table> {
  const rows = (await listStore.page(db, filter, { limit: 1_000 })).map(row => summaryOf(row, null))
  const columns = [
    ['created_at', 'time'],
    ['id', 'string'],
    ['status', 'string'],
    ['product', 'string'],
    ['version', 'string'],
    ['hostname', 'string'],
    ['event_count', 'number'],
    ['metric_count', 'number']
  ] as const
  return {
    type: 'table',
    columns: columns.map(([text, type]) => ({ text, type })),
    rows: rows.map(row =>
      columns.map(([name, type]) =>
        type === 'time' ? Date.parse(row[name] as string) : (row[name] ?? '')
      )
    )
  }
}

/** Posts below /api/grafana, outside the plugin's prefix: schemas in, data out, as everywhere else. */
function grafanaPost(app: PluginApp<unknown>) {
  return <B extends TSchema, R>(
    path: string,
    summary: string,
    body: B,
    handle: (body: Static<B>) => Promise<R>
  ): void => {
    const check = compile(body)
    app.raw(
      'POST',
      `/api/grafana${path}`,
      { summary, auth: reader, about: { body } },
      async ctx => {
        const answer = await handle(check(parseBody(await readBytes(ctx.req, 1_048_576))))
        ctx.status = 200
        ctx.set('content-type', 'application/json')
        ctx.body = JSON.stringify(answer)
      }
    )
  }
}
