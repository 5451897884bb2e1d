import { invalid, type Principal } from '../../../core/index.ts'
import { statuses, type SessionFilter } from '../store/filters.ts'
import { readAggregation } from '../wire/aggregation.ts'
import {
  payloadFields,
  readFilters,
  readMetrics,
  readPayload,
  readText,
  type Option,
  type PayloadFields,
  type Query,
  type Table,
  type Target,
  type TimeSeries
} from '../wire/grafana.ts'
import { readGroupBy } from '../wire/group-by.ts'
import { readTime } from '../wire/time.ts'
import type { Catalogue } from './catalogue.ts'
import type { Chart, ChartGroup, ChartQuery } from './chart/chart.ts'
import type { SessionReader } from './sessions.ts'
import { summaryOf } from './wire-out.ts'

const sessionsTarget = 'sessions'
const defaultPoints = 1_500
const [maxKeys, maxListed] = [500, 1_000]
const [minPoints, maxPoints] = [10, 20_000]

/** What Grafana's data source is answered with. */
interface Sources {
  readonly catalogue: Catalogue
  readonly sessions: SessionReader
  chart(query: ChartQuery, caller: Principal): Promise<Chart>
}
/** The same for one caller. */
type Own = Omit<Sources, 'chart'> & { chart(query: ChartQuery): Promise<Chart> }

/** Answers the questions of Grafana's JSON data source, in its words. */
export const createGrafana = (from: Sources) => ({
  metrics: () => metrics(from),
  options: (name: string) => options(from, name),
  query: async (query: Query, caller: Principal): Promise<(TimeSeries | Table)[]> => {
    const chart = (asked: ChartQuery): Promise<Chart> => from.chart(asked, caller)
    const answers = query.targets.map((target, n) =>
      answerTarget({ ...from, chart }, query, target, n)
    )
    return (await Promise.all(answers)).flat()
  },
  variable: async (of: string) =>
    (await from.catalogue.values(of, maxListed)).map(value => ({
      text: value,
      value,
      __text: value,
      __value: value
    })),
  keys: async () => {
    const [paths, tags] = await Promise.all([
      from.catalogue.paths(maxKeys),
      from.catalogue.tagKeys(maxKeys)
    ])
    const names = ['product', 'version', 'machine_id', 'status', ...tags, ...paths]
    return [...new Set(names)].map(text => ({ type: 'string', text }))
  },
  values: async (key: string) => {
    const found = key === 'status' ? [...statuses] : await from.catalogue.values(key, maxKeys)
    return found.map(text => ({ text }))
  }
})

async function metrics({ catalogue }: Sources) {
  const { items } = await catalogue.metrics(maxListed)
  return [
    { label: 'Sessions (table)', value: sessionsTarget, payloads: payloadFields },
    ...[...Map.groupBy(items, one => one.name)].map(([name, metricsOfName]) => {
      const units = metricsOfName.flatMap(({ unit }) => (unit === null ? [] : [unit]))
      const label = units.length > 0 ? `${name} (${units.join(', ')})` : name
      return { label, value: name, payloads: payloadFields }
    })
  ]
}

async function options({ catalogue }: Sources, name: string): Promise<readonly Option[]> {
  const known = payloadFields.find(one => one.name === name)
  const names = payloadFields.map(one => one.name)
  if (!known) throw invalid('/body/name', `must be one of ${names.join(', ')}`)
  if (name !== 'product') return known.options ?? []
  const { items } = await catalogue.products(maxListed)
  return items.map(({ product }) => ({ label: product, value: product }))
}

async function answerTarget(
  from: Own,
  query: Query,
  { target, payload, refId, hide }: Target,
  n: number
): Promise<(TimeSeries | Table)[]> {
  if (target === undefined || target === '' || hide) return []
  const at = `/body/targets/${n}/payload`
  const fields = readPayload(payload, at)
  const filter = readFilters(fields, query, at)
  const of = refId === undefined ? {} : { refId }
  if (target === sessionsTarget)
    return [{ ...(await sessionTable(from, { ...filter, ...rangeOf(query) })), ...of }]
  const asked = readMetrics(target, `/body/targets/${n}/target`)
  const series: TimeSeries[] = []
  for (const metric of asked) {
    const chart = await from.chart(chartQuery(metric, filter, fields, query, at))
    for (const group of chart.groups) series.push({ ...seriesOf(metric, group, chart), ...of })
  }
  return series
}

/** One line; its unit is said where there are lines of several. */
function seriesOf(metric: string, { unit, group, points }: ChartGroup, chart: Chart): TimeSeries {
  const hasUnits = new Set(chart.groups.map(one => one.unit)).size > 1
  const name = hasUnits ? `${metric} (${unit ?? 'no unit'})` : metric
  return {
    target: group === null ? name : `${name} ${group}`,
    datapoints: points.map(({ at, value }) => [value, at] as const)
  }
}

const rangeOf = ({ range }: Query): { from?: number; to?: number } =>
  range === undefined
    ? {}
    : {
        from: readTime(range.from, '/body/range/from'),
        to: readTime(range.to, '/body/range/to')
      }

function chartQuery(
  metric: string,
  filter: SessionFilter,
  fields: PayloadFields,
  query: Query,
  at: string
): ChartQuery {
  const { from = null, to = null } = rangeOf(query)
  const word = readText(fields, 'aggregation') ?? 'all'
  const asked = Math.floor(query.maxDataPoints ?? defaultPoints)
  return {
    metric,
    filter,
    from,
    to,
    maxPoints: Math.min(maxPoints, Math.max(minPoints, asked)),
    groupBy: readGroupBy(readText(fields, 'group_by')),
    unit: readText(fields, 'unit'),
    aggregation: readAggregation(word, `${at}/aggregation`),
    per: word !== 'all' && readText(fields, 'per') === 'session' ? 'session' : 'time'
  }
}

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

async function sessionTable(
  { sessions }: Pick<Sources, 'sessions'>,
  filter: SessionFilter
): Promise<Table> {
  const found = await sessions.newest(filter, 1_000)
  return {
    type: 'table',
    columns: columns.map(([text, type]) => ({ text, type })),
    rows: found.map(session => {
      const summary = { ...summaryOf(session, null), created_at: session.createdAt }
      // A cell without a value is an empty text in this contract.
      return columns.map(([name]) => summary[name] ?? '')
    })
  }
}
