import { RayneError } from '../errors.ts'
import { secondMs } from '../time.ts'

/**
 * A bucket for each sender: `perSecond` requests, and twice as many in a burst; 0 is without a limit. Throws a 429
 * that says when there is room again.
 */
export function createRateLimit(
  perSecond: number,
  now: () => number = () => performance.now()
): (id: string) => void {
  const buckets = new Map<string, { left: number; at: number }>()
  return id => {
    if (perSecond === 0) return
    const at = now()
    const last = buckets.get(id) ?? { left: 2 * perSecond, at }
    const left = Math.min(2 * perSecond, last.left + ((at - last.at) / secondMs) * perSecond)
    if (left < 1)
      throw new RayneError({
        code: 'too-many-requests',
        message: `this token may send ${perSecond} requests a second (RAYNE_INGEST_RATE); send it again later`,
        details: { retryAfterSeconds: (1 - left) / perSecond }
      })
    buckets.set(id, { left: left - 1, at })
  }
}
