import { median, stepNoise, sum } from './statistics.ts'

/**
 * One service over the buckets of a window; null where nothing was measured. All arrays are as long
 * as the window's times.
 */
export interface ServiceLoad {
  readonly name: string
  /** Mean time of a request in a bucket, s. */
  readonly latencySeconds?: readonly (number | null)[]
  /** Share of requests in a bucket that did not fail, 0 to 1. */
  readonly availability?: readonly (number | null)[]
  /** Requests in a bucket. */
  readonly requests: readonly (number | null)[]
  /** Seen only through its callers' spans (an inferred service, a remote): what it takes includes the way there. */
  readonly clientSide?: boolean
}
export interface ServiceWindow {
  /** Start of each bucket, epoch s, ascending. */
  readonly times: readonly number[]
  readonly bucketSeconds: number
  readonly services: readonly ServiceLoad[]
}
/** Which kind of trouble is shared out: time that requests took, or requests that failed. */
export type Trouble = 'latency' | 'errors'

/** What one service lost after the onset, bucket by bucket: seconds of extra time, or extra failed requests. */
export type Excess = readonly number[]

interface Measured {
  readonly service: ServiceLoad
  readonly values: readonly (number | null)[]
  readonly past: readonly (number | null)[]
  /** Just before the onset; undefined for a service that was not there. */
  readonly level: number | undefined
}

const baselineBuckets = 3
// A level is believed to have left its noise when it is two of its usual steps away.
const noiseSteps = 2
// Differences of sums of floating-point figures, as a part of the largest level: no loss. One bound for all services,
// or a caller's small loss would count as none while that of its callee still counts.
const rounding = 1e-9

/**
 * The extra seconds or failures of every service in the buckets that end after the onset: how far
 * it is from its own level just before, past its noise, times its requests. Request weights decide:
 * a rare slow call costs nobody much. Errors are counts, so their noise is never subtracted. A
 * service that had no level before has no excess: what it takes, its new caller takes.
 */
export function measureExcess(
  window: ServiceWindow,
  onset: number,
  trouble: Trouble,
  history?: ServiceWindow
): Map<string, Excess> {
  const start = firstAfter(window, onset)
  const earlier = new Map(history?.services.map(service => [service.name, service]))
  const measured = window.services.map(service => {
    const values = valuesOf(service, trouble)
    const past = valuesOf(earlier.get(service.name), trouble)
    const level = levelBefore(values, service.requests, start) ?? usualLevel(past)
    return { service, values, past, level }
  })
  const least = rounding * Math.max(0, ...measured.map(({ level }) => level ?? 0))
  return new Map(measured.map(one => [one.service.name, excessOf(one, { start, trouble, least })]))
}

/** Index of the first bucket that the trouble can be in: the one the onset lies in. */
const firstAfter = (window: ServiceWindow, onset: number): number => {
  const index = window.times.findIndex(time => time + window.bucketSeconds > onset)
  return index < 0 ? window.times.length : index
}

const valuesOf = (service: ServiceLoad | undefined, trouble: Trouble): readonly (number | null)[] =>
  (trouble === 'latency' ? service?.latencySeconds : service?.availability) ?? []

function excessOf(
  { service, values, past, level }: Measured,
  { start, trouble, least }: { start: number; trouble: Trouble; least: number }
): number[] {
  const after = service.requests.slice(start)
  if (level === undefined) return after.map(() => 0)
  const noise =
    trouble === 'latency' ? noiseSteps * stepNoise([...past, null, ...values.slice(0, start)]) : 0
  return after.map((requests, index) => {
    const value = values[start + index]
    if (value == null || requests == null) return 0
    const lost = trouble === 'latency' ? value - level - noise : level - value
    return lost > least ? lost * requests : 0
  })
}

/** The mean of the last buckets before the trouble, each request counting once. */
function levelBefore(
  values: readonly (number | null)[],
  requests: readonly (number | null)[],
  start: number
): number | undefined {
  const last: { value: number; weight: number }[] = []
  for (let index = start - 1; index >= 0 && last.length < baselineBuckets; index -= 1) {
    const value = values[index]
    const weight = requests[index]
    if (value != null && weight != null && weight > 0) last.push({ value, weight })
  }
  return last.length === 0
    ? undefined
    : sum(last.map(({ value, weight }) => value * weight)) / sum(last.map(({ weight }) => weight))
}

function usualLevel(past: readonly (number | null)[]): number | undefined {
  const known = past.filter(value => value !== null)
  return known.length === 0 ? undefined : median(known)
}
