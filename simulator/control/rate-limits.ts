/** A bucket as observed on the real API: `limit` requests in `period` seconds; `name` is sent if it was recorded. */
export interface Bucket {
  readonly key: string
  readonly limit: number
  readonly period: number
  readonly name?: string
}

/** Names one bucket. */
export const bucket = (key: string, limit: number, period: number, name?: string): Bucket => ({
  key,
  limit,
  period,
  ...(name === undefined ? {} : { name })
})
/** Observed limits by bucket; organisations differ, so clients should read the headers. */
export const buckets = {
  logsSearch: bucket('logs_search', 300, 3600),
  logsAggregate: bucket('logs_aggregate', 300, 300),
  metricsQuery: bucket('query', 1600, 3600),
  monitorList: bucket('list_monitors', 1000, 10),
  monitorGet: bucket('get_monitors', 3000, 10, 'get_monitors'),
  monitorSearch: bucket('search_monitors', 120, 10),
  notebooksRead: bucket('notebooks_read', 90, 60),
  notebooksWrite: bucket('notebooks_write', 30, 60)
} as const

/** Counts requests per account and bucket in calendar-aligned periods. */
export function createRateLimits(enforced: boolean) {
  const counts = new Map<string, { period: number; used: number }>()
  return {
    reset: () => counts.clear(),
    /** Headers for this request, and whether it is over the limit. */
    count(
      account: string,
      rule: Bucket,
      now: number
    ): { headers: Record<string, string>; exceeded: boolean } {
      const period = Math.floor(now / 1000 / rule.period)
      const key = `${account}/${rule.key}`
      const entry = counts.get(key)
      const used = (entry?.period === period ? entry.used : 0) + 1
      counts.set(key, { period, used })
      const headers = {
        'x-ratelimit-limit': String(rule.limit),
        'x-ratelimit-period': String(rule.period),
        'x-ratelimit-remaining': String(enforced ? Math.max(0, rule.limit - used) : rule.limit - 1),
        'x-ratelimit-reset': String(rule.period - (Math.floor(now / 1000) % rule.period)),
        ...(rule.name === undefined ? {} : { 'x-ratelimit-name': rule.name })
      }
      return { headers, exceeded: enforced && used > rule.limit }
    }
  }
}
export type RateLimits = ReturnType<typeof createRateLimits>
