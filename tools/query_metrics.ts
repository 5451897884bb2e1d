import { epochMs, isoTime, Type } from '../core/index.ts'
import type { DatadogSeries } from '../plugins/datadog-proxy/contract.ts'
import { SignalsToken, type Signals } from '../plugins/rca/contract.ts'
import { spannedPage } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'
import { summaryOf, Summary } from './kit/summary.ts'
import { readWindow, Window } from './kit/window.ts'

const Change = Type.Object({
  at: Type.String({ description: 'start of the first bucket that left what was usual' }),
  direction: Type.String(),
  before: Type.Number({ description: 'median before' }),
  after: Type.Number({ description: 'median since' })
})

export default defineReader({
  name: 'query_metrics',
  title: 'Query metrics',
  description: [
    'Time series of a Datadog metric query: every bucket, statistics, and when the series left what was usual.',
    'Use it for onset and size of a trouble; ask for request counts beside every latency. It cannot forecast.'
  ],
  input: {
    query: searchText(
      'e.g. sum:trace.http.request.errors{service:checkout-api} by {version}.as_count()'
    ),
    ...Window,
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    metric: Type.String(),
    scope: Type.String(),
    interval_seconds: Type.Number(),
    ...Summary,
    change: Type.Union([Change, Type.Null()], { description: 'null: none, or too little data' }),
    points: Type.String({ description: 'ISO time and value of each bucket, `-` without data' })
  }),
  needs: { signals: SignalsToken },
  example: {
    query: 'avg:system.cpu.user{*}',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 50
  },
  async ask({ query, limit, ...input }, { account, signal }, { signals }) {
    const window = readWindow(input)
    const found = await account.metric({ query, window }, { signal })
    return {
      ...found,
      rows: found.rows.slice(0, limit).map(series => ({
        metric: series.metric,
        scope: series.scope,
        interval_seconds: series.intervalSeconds,
        ...summaryOf(series.points.map(({ value }) => value)),
        change: changeOf(series, signals),
        points: series.points
          .map(({ at, value }) => `${isoTime(at).slice(0, 16)}Z ${value ?? '-'}`)
          .join(', ')
      })),
      total: found.rows.length,
      truncated: found.truncated || found.rows.length > limit,
      link: spannedPage(account, '/metric/explorer', window, { exp_query: query }),
      whenEmpty:
        'no such metric, no such tags, or no data then; datadog_get /api/v1/search finds names'
    }
  }
})

function changeOf({ points, intervalSeconds }: DatadogSeries, signals: Signals) {
  const change = signals.change(points, intervalSeconds * 1_000)
  return change === undefined ? null : { ...change, at: isoTime(epochMs(change.at)) }
}
