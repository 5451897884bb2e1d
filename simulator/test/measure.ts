import assert from 'node:assert/strict'
import type { SimAccount } from '../simulator.ts'
import { call, metricPath, MINUTE, search, T0 } from './client.ts'
import type { Page, Row, SeriesAnswer, SpanItem } from './wire.ts'

/** Mean of a series between two minutes relative to the onset; NaN when it does not exist then. */
export async function mean(
  account: SimAccount,
  query: string,
  from: number,
  to: number,
  scope?: string
): Promise<number> {
  const { body } = await call<SeriesAnswer>(
    account,
    'GET',
    metricPath(query, T0 + from * MINUTE, T0 + to * MINUTE)
  )
  const series =
    scope === undefined ? body.series[0] : body.series.find(s => s.scope.includes(scope))
  const values = (series?.pointlist ?? []).flatMap(([, value]) => (value === null ? [] : [value]))
  return values.reduce((a, b) => a + b, 0) / values.length
}
export const near = (value: number, wanted: number, tolerance: number, what: string): void =>
  assert.ok(
    Math.abs(value - wanted) <= tolerance,
    `${what}: ${value} is not ${wanted} ± ${tolerance}`
  )

/** Errors in percent of the requests. */
export const rate = (scope: string, by = ''): string =>
  ['errors', 'hits']
    .map(name => `sum:trace.http.request.${name}{${scope}}${by}.as_count().rollup(sum,60)`)
    .join(' / ') + ' * 100'

/** Log lines a minute between two minutes relative to the onset. */
export async function perMinute(
  account: SimAccount,
  query: string,
  from: number,
  to: number
): Promise<number> {
  return (
    (await search(account, 'logs/events', query, T0 + from * MINUTE, T0 + to * MINUTE - 1)).body
      .data.length /
    (to - from)
  )
}

/** A page of spans, times in minutes relative to the onset. */
export async function spans(
  account: SimAccount,
  query: string,
  from: number,
  to: number,
  page: object = { limit: 1000 }
): Promise<readonly Row<SpanItem>[]> {
  const filter = {
    query,
    from: new Date(T0 + from * MINUTE).toISOString(),
    to: new Date(T0 + to * MINUTE).toISOString()
  }
  const answer = await call<Page<SpanItem>>(account, 'POST', '/api/v2/spans/events/search', {
    data: { type: 'search_request', attributes: { filter, page, sort: 'timestamp' } }
  })
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data
}
