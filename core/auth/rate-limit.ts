import { RayneError } from '../errors.ts'
import { secondMs } from '../time.ts'

const maxBuckets = 10_000

/**
 * A bucket of `burst` for each id, which wins one back every `refillMs`. Takes one and answers 0, or takes none and
 * answers the milliseconds until there is one.
 */
export function createBuckets(
  { refillMs, burst }: { readonly refillMs: number; readonly burst: number },
  now: () => number
): (id: string) => number {
  const buckets = new Map<string, { left: number; at: number }>()
  return id => {
    const at = now()
    const last = buckets.get(id) ?? { left: burst, at }
    const left = Math.min(burst, last.left + (at - last.at) / refillMs)
    // Put at the end, so that the first of the map is the one that has been quiet longest.
    buckets.delete(id)
    buckets.set(id, { left: left < 1 ? left : left - 1, at })
    if (buckets.size > maxBuckets) buckets.delete(buckets.keys().next().value ?? id)
    return left < 1 ? (1 - left) * refillMs : 0
  }
}

/**
 * A bucket for each sender: `perSecond` requests, and twice as many in a burst; 0 is without a limit. Throws a 429
 * that says when there is room again.
 */
export function createRateLimit(
  perSecond: number,
  now: () => number = () => performance.now()
): (id: string) => void {
  const take = createBuckets({ refillMs: secondMs / perSecond, burst: 2 * perSecond }, now)
  return id => {
    const waitMs = perSecond === 0 ? 0 : take(id)
    if (waitMs > 0)
      throw new RayneError({
        code: 'too-many-requests',
        message: `this token may send ${perSecond} requests a second (RAYNE_INGEST_RATE); send it again later`,
        details: { retryAfterSeconds: waitMs / secondMs }
      })
  }
}
