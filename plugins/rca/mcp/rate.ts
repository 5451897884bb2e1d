import { createBuckets, minuteMs, secondMs } from '../../../core/index.ts'

/** A share for each caller: `perMinute` calls, spent as they come. Answers the seconds to wait, 0 to go on. */
export function createRate(perMinute: number, now: () => number = Date.now) {
  const take = createBuckets({ refillMs: minuteMs / perMinute, burst: perMinute }, now)
  return (caller: string): number => Math.ceil(take(caller) / secondMs)
}
export type Rate = ReturnType<typeof createRate>
