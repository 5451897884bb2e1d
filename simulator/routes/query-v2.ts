import { refuse } from './api-error.ts'
import { windowBuckets, type Buckets, type Line } from '../metrics/evaluate.ts'
import { calculate, namesIn, parseFormula } from '../metrics/formula.ts'
import { parseMetricQuery } from '../metrics/grammar.ts'
import { linesOf, type SourceQuery } from '../metrics/sources.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { firstTermMetric, unitOf } from './metrics.ts'

/** The newer queries: formulas over metrics and over what is counted; times in ms. */
export const query2Routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v2/query/timeseries',
    op: 'v2.MetricsApi.queryTimeseriesData',
    scope: 'timeseries_query',
    handle: timeseries
  },
  {
    method: 'POST',
    path: '/api/v2/query/scalar',
    op: 'v2.MetricsApi.queryScalarData',
    scope: 'timeseries_query',
    handle: scalar
  }
]

/** Nothing older can be asked; times in seconds by mistake are that old. */
const RETENTION = 450 * 86_400_000
interface Asked {
  readonly from: number
  readonly to: number
  readonly interval: number | undefined
  readonly queries: readonly SourceQuery[]
  readonly formulas: readonly {
    readonly formula: string
    readonly limit?: { readonly count?: number; readonly order?: string }
  }[]
}

function read(call: Call, type: 'timeseries_request' | 'scalar_request'): Asked {
  const data = (
    call.body as { data?: { type?: unknown; attributes?: Record<string, unknown> } } | undefined
  )?.data
  if (data?.type !== type)
    throw refuse(400, `API input validation failed: Invalid type. Expected "${type}".`)
  const { from, to, interval, queries, formulas } = data.attributes ?? {}
  if (
    typeof from !== 'number' ||
    typeof to !== 'number' ||
    !Array.isArray(queries) ||
    queries.length === 0
  )
    throw refuse(400, 'API input validation failed: from, to and queries are required')
  if (to < call.now - RETENTION)
    throw refuse(400, 'Queries ending outside the retention date are invalid')
  if (from >= to) throw refuse(400, 'API input validation failed: from must be before to')
  const named = (queries as SourceQuery[]).map((query, i) => ({
    ...query,
    name: query.name ?? `query${i + 1}`
  }))
  return {
    from,
    to,
    interval: typeof interval === 'number' ? interval : undefined,
    queries: named,
    formulas:
      Array.isArray(formulas) && formulas.length > 0
        ? (formulas as Asked['formulas'])
        : named.map(query => ({ formula: String(query.name) }))
  }
}

function bucketsOf(asked: Asked, now: number): Buckets {
  const from = Math.floor(asked.from / 1000)
  const to = Math.ceil(asked.to / 1000)
  // The wish for an interval is met as far as the number of points allows.
  const wish =
    asked.interval === undefined ? undefined : Math.max(5, Math.ceil(asked.interval / 5000) * 5)
  return windowBuckets(
    from,
    to,
    wish !== undefined && (to - from) / wish <= 1500 ? wish : undefined,
    now
  )
}

interface Result {
  readonly formula: string
  readonly index: number
  readonly lines: readonly Line[]
  readonly unit: unknown
}

function results(call: Call, asked: Asked, buckets: Buckets): Result[] {
  const lines = new Map(
    asked.queries.map(query => [
      String(query.name),
      linesOf(call.account, query, buckets, call.now)
    ])
  )
  return asked.formulas.map(({ formula, limit }, index) => {
    const parsed = parseFormula(formula)
    const names = namesIn(parsed)
    const unknown = names.find(name => !lines.has(name))
    if (unknown !== undefined)
      throw refuse(400, `Formula '${formula}' names '${unknown}', which is no query`)
    const all = names.flatMap(name => lines.get(name) ?? [])
    const groups = [...new Map(all.map(line => [line.group.join(','), line])).values()].filter(
      line => line.group.length > 0 || all.every(one => one.group.length === 0)
    )
    const shown = groups.map(({ group, scope }) => ({
      group,
      scope,
      values: Float64Array.from({ length: buckets.count }, (_, i) =>
        calculate(parsed, name => lineFor(lines.get(name) ?? [], group)?.values[i] ?? NaN)
      )
    }))
    const order = limit?.order === 'asc' ? 1 : -1
    const total = ({ values }: Line): number =>
      values.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + value), 0)
    const [only] =
      names.length === 1
        ? asked.queries.filter(query => query.name === names[0] && query.data_source === 'metrics')
        : []
    return {
      formula,
      index,
      lines: shown
        .toSorted((a, b) => order * (total(a) - total(b)))
        .slice(0, limit?.count ?? shown.length),
      unit: only
        ? unitOf(call.account.world, firstTermMetric(parseMetricQuery(String(only.query))[0]))
        : null
    }
  })
}

const lineFor = (lines: readonly Line[], group: readonly string[]): Line | undefined =>
  lines.find(line => line.group.join(',') === group.join(',')) ??
  (lines.length === 1 && lines[0]?.group.length === 0 ? lines[0] : undefined)

/** Buckets in which no line has data are absent, so times may jump. */
function timeseries(call: Call): Reply {
  const asked = read(call, 'timeseries_request')
  const buckets = bucketsOf(asked, call.now)
  const found = buckets.count === 0 ? [] : results(call, asked, buckets)
  const rows = found.flatMap(({ index, lines, unit }) => lines.map(line => ({ line, index, unit })))
  const present = Array.from({ length: buckets.count }, (_, i) => i).filter(i =>
    rows.some(({ line }) => Number.isFinite(line.values[i]))
  )
  const attributes = {
    series: rows.map(({ line, index, unit }) => ({
      group_tags: line.group,
      query_index: index,
      unit: unit === null ? null : [unit, null]
    })),
    times: present.map(i => buckets.start + i * buckets.step),
    values: rows.map(({ line }) =>
      present.map(i => {
        const value = line.values[i] ?? NaN
        return Number.isFinite(value) ? value : null
      })
    )
  }
  return {
    status: 200,
    type: 'application/vnd.api+json',
    text: JSON.stringify({ data: { id: '0', type: 'timeseries_response', attributes } })
  }
}

const reducers: Readonly<Record<string, (values: readonly number[]) => number>> = {
  avg: values => values.reduce((a, b) => a + b, 0) / values.length,
  sum: values => values.reduce((a, b) => a + b, 0),
  min: values => values.reduce((a, b) => Math.min(a, b), Infinity),
  max: values => values.reduce((a, b) => Math.max(a, b), -Infinity),
  last: values => values.at(-1) ?? NaN,
  l2norm: values => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)),
  area: values => values.reduce((a, b) => a + b, 0),
  mean: values => values.reduce((a, b) => a + b, 0) / values.length
}

function scalar(call: Call): Reply {
  const asked = read(call, 'scalar_request')
  const buckets = bucketsOf(asked, call.now)
  const aggregator = String(asked.queries[0]?.aggregator ?? 'avg')
  const reduce = reducers[aggregator]
  if (!reduce) throw refuse(400, `Invalid aggregator '${aggregator}'`)
  const found = buckets.count === 0 ? [] : results(call, asked, buckets)
  const groups = [
    ...new Map(
      found.flatMap(({ lines }) => lines).map(line => [line.group.join(','), line.group])
    ).values()
  ]
  const keys = [
    ...new Set(groups.flatMap(group => group.map(tag => tag.slice(0, tag.indexOf(':')))))
  ]
  const columns = [
    ...keys.map(key => ({
      type: 'group',
      name: key,
      values: groups.map(group =>
        group.filter(tag => tag.startsWith(`${key}:`)).map(tag => tag.slice(key.length + 1))
      )
    })),
    ...found.map(({ formula, lines, unit }) => ({
      type: 'number',
      name: formula,
      meta: { unit: unit === null ? null : [unit, null] },
      values: groups.map(group => {
        const values = [...(lineFor(lines, group)?.values ?? [])].filter(value =>
          Number.isFinite(value)
        )
        return values.length === 0 ? null : reduce(values)
      })
    }))
  ]
  const body = { data: { type: 'scalar_response', attributes: { columns } } }
  // So it was recorded: plain JSON for metrics, the vendor type for what is counted.
  return asked.queries.every(query => query.data_source === 'metrics')
    ? ok(body)
    : { status: 200, type: 'application/vnd.api+json', body: { data: { id: '0', ...body.data } } }
}
