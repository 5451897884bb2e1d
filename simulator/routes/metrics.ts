import { refuse } from './api-error.ts'
import { evaluate, windowBuckets } from '../metrics/evaluate.ts'
import { parseMetricQuery, textOf, type Expression, type MetricTerm } from '../metrics/grammar.ts'
import { buckets as limits } from '../control/rate-limits.ts'
import { ok, type Call, type Route } from './route.ts'
import type { World } from '../world/world.ts'

const units: Record<
  string,
  {
    family: string
    id: number
    name: string
    short_name: string | null
    plural: string
    scale_factor: number
  }
> = {
  percent: {
    family: 'percentage',
    id: 17,
    name: 'percent',
    short_name: '%',
    plural: 'percent',
    scale_factor: 1
  },
  second: {
    family: 'time',
    id: 11,
    name: 'second',
    short_name: 's',
    plural: 'seconds',
    scale_factor: 1
  },
  byte: { family: 'bytes', id: 2, name: 'byte', short_name: 'B', plural: 'bytes', scale_factor: 1 },
  hit: {
    family: 'general',
    id: 39,
    name: 'hit',
    short_name: null,
    plural: 'hits',
    scale_factor: 1
  },
  error: {
    family: 'general',
    id: 40,
    name: 'error',
    short_name: 'err',
    plural: 'errors',
    scale_factor: 1
  },
  connection: {
    family: 'network',
    id: 16,
    name: 'connection',
    short_name: 'conn',
    plural: 'connections',
    scale_factor: 1
  },
  fraction: {
    family: 'percentage',
    id: 55,
    name: 'fraction',
    short_name: null,
    plural: 'fractions',
    scale_factor: 100
  }
}

export const metricRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/query',
    op: 'v1.MetricsApi.queryMetrics',
    bucket: limits.metricsQuery,
    scope: 'timeseries_query',
    handle: query
  }
]

function query({ account, query: asked, now }: Call) {
  const text = asked.get('query')
  const from = seconds(asked.get('from'), 'from')
  const to = seconds(asked.get('to'), 'to')
  if (!text) throw refuse(400, "missing required argument(s): ['query']")
  if (from >= to) throw refuse(400, 'Invalid time range: from must be before to')
  const expressions = parseMetricQuery(text)
  const series = expressions.flatMap((expression, index) =>
    seriesOf(account.world, expression, index, from, to, now)
  )
  const groups = [...new Set(expressions.flatMap(terms).flatMap(term => term.by))]
  return ok({
    status: 'ok',
    resp_version: 1,
    series,
    to_date: to * 1000,
    query: text,
    message: '',
    res_type: 'time_series',
    times: [],
    from_date: from * 1000,
    group_by: groups,
    values: []
  })
}

function seconds(value: string | null, name: string): number {
  if (value === null || !/^\d{1,11}$/.test(value))
    throw refuse(
      400,
      value === null
        ? `missing required argument(s): ['${name}']`
        : `Invalid value for argument '${name}': it must be a POSIX timestamp in seconds`
    )
  return Number(value)
}

function seriesOf(
  world: World,
  expression: Expression,
  index: number,
  from: number,
  to: number,
  now: number
): object[] {
  const all = terms(expression)
  const [first] = all
  if (!first) return []
  const buckets = windowBuckets(
    from,
    to,
    all.map(term => term.rollup?.seconds).find(s => s !== undefined),
    now
  )
  if (buckets.count === 0) return []
  const name = expression.kind === 'metric' ? first.metric : textOf(expression)
  const unit = unitOf(world, first.metric)
  return evaluate(world, expression, buckets).map(line => ({
    end: buckets.start + buckets.count * buckets.step - 1000,
    attributes: {},
    metric: name,
    interval: buckets.step / 1000,
    tag_set: line.group,
    start: buckets.start,
    length: buckets.count,
    query_index: index,
    aggr: first.aggregator ?? null,
    scope: line.scope,
    pointlist: Array.from(line.values, (value, i) => [
      buckets.start + i * buckets.step,
      Number.isFinite(value) ? value : null
    ]),
    expression: expression.kind === 'metric' ? shown(first, line.scope) : name,
    unit: [unit, null],
    display_name: name
  }))
}

/** The unit of a metric as answers describe it, or null. */
export const unitOf = (world: World, metric: string): (typeof units)[string] | null =>
  units[world.metrics.get(metric)?.unit ?? ''] ?? null
/** The metric an expression begins with. */
export const firstTermMetric = (expression: Expression | undefined): string =>
  expression === undefined ? '' : (terms(expression)[0]?.metric ?? '')

/** The term with the scope of one result, as answers repeat it. */
const shown = (term: MetricTerm, scope: string): string =>
  [
    term.aggregator === undefined ? '' : `${term.aggregator}:`,
    `${term.metric}{${scope}}`,
    term.modifier === undefined ? '' : `.${term.modifier}()`
  ].join('')

function terms(expression: Expression): MetricTerm[] {
  if (expression.kind === 'metric') return [expression]
  if (expression.kind === 'binary') return [...terms(expression.left), ...terms(expression.right)]
  return expression.kind === 'default_zero' ? terms(expression.inner) : []
}
