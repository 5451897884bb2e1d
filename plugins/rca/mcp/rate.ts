import { minuteMs, secondMs } from '../../../core/index.ts'

const maxCallers = 10_000

/** A token bucket for each caller: `perMinute` calls, spent as they come. Answers the seconds to wait, 0 to go on. */
export function createRate(perMinute: number, now: () => number = Date.now) {
  const buckets = new Map<string, { left: number; at: number }>()
  return (caller: string): number => {
    const at = now()
    const before = buckets.get(caller) ?? { left: perMinute, at }
    const left = Math.min(perMinute, before.left + ((at - before.at) * perMinute) / minuteMs)
    // Put at the end, so that the first of the map is the one that has been quiet longest.
    buckets.delete(caller)
    buckets.set(caller, { left: left >= 1 ? left - 1 : left, at })
    const [oldest] = buckets.keys()
    if (buckets.size > maxCallers && oldest !== undefined) buckets.delete(oldest)
    return left >= 1 ? 0 : Math.ceil(((1 - left) * minuteMs) / perMinute / secondMs)
  }
}
export type Rate = ReturnType<typeof createRate>
