import type { Account } from '../world/accounts.ts'
import { aggregate, type Countable } from '../search/aggregate.ts'
import { refuse } from '../routes/api-error.ts'
import { searchEvents } from '../world/events.ts'
import { searchLogs } from '../search/log-search.ts'
import { rumEvents, rumValue } from '../world/rum.ts'
import { readPath, tagValues } from '../search/match.ts'
import { parseSearch } from '../search/query.ts'
import { customOf, fieldOf, searchSpans } from '../search/span-search.ts'
import { evaluate, type Buckets, type Line } from './evaluate.ts'
import { parseMetricQuery } from './grammar.ts'

/** One query of a v2 timeseries or scalar request. */
export interface SourceQuery {
  readonly data_source?: unknown
  readonly name?: unknown
  readonly query?: unknown
  readonly search?: { readonly query?: unknown }
  readonly compute?: { readonly aggregation?: unknown; readonly metric?: unknown }
  readonly group_by?: unknown
  readonly aggregator?: unknown
}

/** Sources the real one has and this one has nothing in. */
const elsewhere = new Set([
  'apm_metrics',
  'apm_dependency_stats',
  'apm_resource_stats',
  'ci_pipelines',
  'ci_tests',
  'container',
  'process',
  'profiles',
  'security_signals',
  'slo',
  'on_call_events',
  'product_analytics',
  'cloud_cost',
  'network',
  'audit',
  'app_sec_events',
  'incident_analytics'
])

/** The lines of one query over the buckets, from metrics or by counting logs, spans and events. */
export function linesOf(
  account: Account,
  query: SourceQuery,
  buckets: Buckets,
  now: number
): Line[] {
  if (query.data_source === 'metrics') {
    const [expression, more] = parseMetricQuery(String(query.query ?? ''))
    if (!expression || more) throw refuse(400, 'a query must be one expression')
    return evaluate(account.world, expression, buckets)
  }
  const facets = (
    Array.isArray(query.group_by) ? (query.group_by as { facet?: unknown }[]) : []
  ).map(one => String(one.facet))
  const compute = {
    aggregation: String(query.compute?.aggregation ?? 'count'),
    metric:
      query.compute?.metric === undefined ? undefined : String(query.compute.metric as string),
    interval: buckets.step
  }
  return aggregate(
    rowsOf(account, query, buckets, now),
    [compute],
    facets.map(facet => ({ facet, limit: 100, descending: true }))
  ).map(({ by, computes }) => {
    const values = new Float64Array(buckets.count).fill(NaN)
    for (const { time, value } of computes['c0'] as { time: string; value: number }[])
      values[Math.floor((Date.parse(time) - buckets.start) / buckets.step)] = value
    const group = Object.entries(by).map(([key, value]) => `${key}:${value}`)
    return { group, scope: group.join(',') || '*', values }
  })
}

function rowsOf(
  account: Account,
  query: SourceQuery,
  { start, count, step }: Buckets,
  now: number
): Countable[] {
  const request = {
    query: parseSearch(String(query.search?.query ?? '')),
    from: start,
    to: start + count * step - 1,
    limit: Infinity,
    descending: false,
    after: undefined,
    cursorKey: ''
  }
  switch (query.data_source) {
    case 'logs':
      return searchLogs(account.world.streams, request, now).map(row => ({
        at: row.at,
        value: facet =>
          facet === 'status'
            ? row.status
            : facet === 'host'
              ? row.host
              : facet.startsWith('@')
                ? readPath(row.attributes, facet.slice(1).split('.'))
                : tagValues(row.tags, facet)[0]
      }))
    case 'spans':
      return searchSpans(account.traces, request, now).map(span => ({
        at: span.at,
        value: facet =>
          facet.startsWith('@')
            ? readPath(customOf(span), facet.slice(1).split('.'))
            : (fieldOf(span, facet) ?? tagValues(span.tags, facet)[0])
      }))
    case 'events':
      return searchEvents(account, request, now).map(row => ({
        at: row.at,
        value: facet => row.reserved[facet] ?? tagValues(row.tags, facet)[0]
      }))
    case 'rum':
      return rumEvents(account.world, request, now).map(event => ({
        at: event.at,
        value: facet => rumValue(event, facet)
      }))
    default:
      if (elsewhere.has(String(query.data_source))) return []
      throw refuse(400, `Unsupported data source: ${String(query.data_source)}`)
  }
}
