import type { AnswerHeaders } from './answer-headers.ts'
interface Bucket {
  limit: number
  periodMs: number
  remaining: number
  resetAt: number
  inFlight: number
}

/**
 * How many requests one account may still send, as Datadog's own headers tell it: limits differ between
 * organisations.
 */
export interface RateLimits {
  /** Takes a token and answers 0, or answers the milliseconds until there are tokens again. */
  take(route: string): number
  /** Every taken token is answered once, without headers when no answer came. */
  answered(route: string, headers?: AnswerHeaders): void
}

const unlimited = (): Bucket => ({
  limit: Infinity,
  periodMs: 0,
  remaining: Infinity,
  resetAt: 0,
  inFlight: 0
})

/** Token buckets by route; routes for which Datadog sends the same `X-RateLimit-Name` share one. */
export function createRateLimits(now: () => number = Date.now): RateLimits {
  const byRoute = new Map<string, Bucket>()
  const byName = new Map<string, Bucket>()
  const bucketOf = (route: string): Bucket => {
    const found = byRoute.get(route) ?? unlimited()
    byRoute.set(route, found)
    return found
  }
  return {
    take(route) {
      const bucket = bucketOf(route)
      if (now() >= bucket.resetAt)
        Object.assign(bucket, {
          remaining: bucket.limit - bucket.inFlight,
          resetAt: now() + bucket.periodMs
        })
      if (bucket.remaining <= 0) return bucket.resetAt - now()
      bucket.remaining--
      bucket.inFlight++
      return 0
    },
    answered(route, headers) {
      const own = bucketOf(route)
      own.inFlight = Math.max(0, own.inFlight - 1)
      const told = headers && readLimit(headers, now())
      if (!told) return
      const shared = told.name === undefined ? own : (byName.get(told.name) ?? own)
      if (told.name !== undefined) byName.set(told.name, shared)
      if (shared !== own) {
        shared.inFlight += own.inFlight
        byRoute.set(route, shared)
      }
      // Those still under way may not be counted in what Datadog told.
      Object.assign(shared, {
        limit: told.limit,
        periodMs: told.periodMs,
        resetAt: told.resetAt,
        remaining: told.remaining - shared.inFlight
      })
    }
  }
}

/**
 * One answer's limit, or undefined when a header is absent or senseless (recorded: none; seen elsewhere: words, 0,
 * epochs, hours).
 */
function readLimit(
  headers: AnswerHeaders,
  now: number
):
  | { name?: string; limit: number; periodMs: number; remaining: number; resetAt: number }
  | undefined {
  const number = (name: string): number => {
    const text = headers.get(`x-ratelimit-${name}`)
    return text !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : Number.NaN
  }
  const [limit, period, remaining, stated] = ['limit', 'period', 'remaining', 'reset'].map(
    number
  ) as [number, number, number, number]
  const reset = stated > 1e9 ? stated - now / 1000 : stated
  // Reset counts down to the end of the period, so one beyond it is an error and would stop the account for nothing.
  if (!(limit > 0 && period > 0 && remaining >= 0 && reset > 0 && reset <= period)) return undefined
  const name = headers.get('x-ratelimit-name')
  return {
    ...(name ? { name } : {}),
    limit,
    periodMs: period * 1000,
    remaining,
    resetAt: now + reset * 1000
  }
}

/** What shares a limit: the method and the path without the ids in it. */
export function routeOf(method: string, url: string): string {
  const path = new URL(url).pathname
    .replace(/^.*?(?=\/api\/v\d)/, '')
    .replace(/\/monitor\/\d+$/, '/monitor/*')
    .replace(/\/(tags\/hosts|configuration\/webhooks|notebooks|downtime)\/[^/]+$/, '/$1/*')
  return `${method} ${path}`
}
