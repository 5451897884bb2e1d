import { median, stepNoise } from './statistics.ts'

/** A metric in buckets of one width. */
export interface Series {
  /** Start of each bucket, epoch ms, ascending. */
  readonly times: readonly number[]
  readonly values: readonly (number | null)[]
  readonly intervalMs: number
}
export interface Step {
  /** Start of the first bucket of the trouble, epoch ms; the truth lies in it or in the bucket before. */
  readonly at: number
  readonly direction: 'up' | 'down'
  readonly before: number
  readonly after: number
  readonly precisionMs: number
}
export interface Change {
  readonly direction: 'up' | 'down'
  readonly before: number
  readonly after: number
  /** How many times the largest usual difference of two neighbouring windows it is; above 1 is unusual. */
  readonly strength: number
}

type Point = readonly [time: number, value: number]

/** The series without the buckets that had not ended at `now`, epoch ms: a bucket half full looks like a fall. */
export function dropPartial(series: Series, now: number): Series {
  const kept = series.times.findIndex(time => time + series.intervalMs > now)
  return kept < 0
    ? series
    : { ...series, times: series.times.slice(0, kept), values: series.values.slice(0, kept) }
}

const pointsOf = ({ times, values }: Series): Point[] =>
  times.flatMap((time, index) => {
    const value = values[index]
    return value == null || !Number.isFinite(value) ? [] : [[time, value] as const]
  })

const valuesOf = (points: readonly Point[]): number[] => points.map(([, value]) => value)

// Buckets that make a level, and how many such windows it takes to know what is usual.
const windowBuckets = 3
const leastWindows = 4
const noiseFactor = 4
// A change below this part of the level is nothing to write about, however quiet the series is.
const leastShare = 0.05
const quietGap = 2

/**
 * When a series left what was usual and did not return until the alert: usual are the levels of all earlier windows,
 * here and in `history`, not one sample. A spike alone is no step, and one quiet bucket does not end it. Undefined when
 * the series is as usual at the alert, or too short to know.
 */
export function findStep(
  series: Series,
  alertAt: number,
  history: readonly Series[] = []
): Step | undefined {
  const points = pointsOf(series).filter(([time]) => time <= alertAt + series.intervalMs)
  const earlier = history.map(pointsOf)
  const after = median(valuesOf(points.slice(-windowBuckets)))
  const runOutside = (reference: number): number | undefined => {
    const band = usualBand([...earlier, points.slice(0, reference)])
    if (!band || (after >= band.low && after <= band.high)) return undefined
    return startOfRun(points, value => (after > band.high ? value > band.high : value < band.low))
  }
  const split = likeliestSplit(valuesOf(points))
  // A slow climb spoils the reference that reaches into it, so a shorter one is tried first.
  for (const reference of [Math.floor(split / 2), split]) {
    let start = reference
    let found = runOutside(start)
    while (found !== undefined && found < start) {
      start = found
      found = runOutside(start)
    }
    // Against everything before it, the end must still be unusual: a level that came before is no news.
    if (found !== undefined && runOutside(found) !== undefined)
      return stepAt(points, found, after, series.intervalMs)
  }
  return undefined
}

/** Where two levels fit best, by least squares over the ranks of the values, which no outlier can pull. */
function likeliestSplit(values: readonly number[]): number {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const ranks = new Float64Array(values.length)
  order.forEach((index, rank) => {
    const twin = order[rank - 1]
    ranks[index] =
      twin !== undefined && values[twin] === values[index] ? (ranks[twin] ?? rank) : rank
  })
  const total = ranks.reduce((all, rank) => all + rank, 0)
  let [before, best, split] = [0, -1, 0]
  for (let index = 1; index < values.length; index += 1) {
    before += ranks[index - 1] ?? 0
    const rest = values.length - index
    const between =
      (before / index - (total - before) / rest) ** 2 * ((index * rest) / values.length)
    if (between > best) [best, split] = [between, index]
  }
  return split
}

function stepAt(
  points: readonly Point[],
  start: number,
  after: number,
  precisionMs: number
): Step | undefined {
  const first = points[start]
  const before = median(valuesOf(points.slice(0, start)))
  return first === undefined || Number.isNaN(before)
    ? undefined
    : { at: first[0], direction: after > before ? 'up' : 'down', before, after, precisionMs }
}

/** The range in which single buckets usually lie: from all windows' levels, widened by the noise of a bucket. */
function usualBand(
  parts: readonly (readonly Point[])[]
): { readonly low: number; readonly high: number } | undefined {
  const levels = parts.flatMap(windowLevels)
  if (levels.length < leastWindows) return undefined
  const all = parts.flatMap(valuesOf)
  const noise = Math.max(
    ...parts.map(part => stepNoise(valuesOf(part))),
    Math.abs(median(all)) * leastShare
  )
  return {
    low: Math.min(...levels) - noiseFactor * noise,
    high: Math.max(...levels) + noiseFactor * noise
  }
}

/** The medians of all windows of neighbouring buckets. */
function windowLevels(points: readonly Point[]): number[] {
  const values = valuesOf(points)
  return values
    .slice(windowBuckets - 1)
    .map((_, index) => median(values.slice(index, index + windowBuckets)))
}

/** Index of the first bucket of the run that lasts to the end; undefined when it is one bucket only. */
function startOfRun(
  points: readonly Point[],
  isUnusual: (value: number) => boolean
): number | undefined {
  let start: number | undefined
  let quiet = 0
  let length = 0
  for (let index = points.length - 1; index >= 0 && quiet <= quietGap; index -= 1) {
    if (isUnusual(points[index]?.[1] ?? Number.NaN)) {
      start = index
      length += 1
      quiet = 0
    } else quiet += 1
  }
  return length >= 2 ? start : undefined
}

/**
 * How a series changed at a known time, epoch ms: the level after it against the level of an equally long window
 * before, in units of the largest such difference at any earlier time. Undefined when there is too little to compare.
 */
export function judgeChange(
  series: Series,
  at: number,
  history: readonly Series[] = []
): Change | undefined {
  const points = pointsOf(series)
  const late = points.filter(([time]) => time + series.intervalMs > at)
  const early = points.slice(0, points.length - late.length)
  const length = Math.min(late.length, Math.max(windowBuckets, Math.floor(early.length / 4)))
  if (length === 0 || early.length < Math.max(2 * length, leastWindows)) return undefined
  const before = median(valuesOf(early.slice(-length)))
  const after = median(valuesOf(late.slice(0, length)))
  const usual = Math.max(
    ...[...history.map(pointsOf), early].map(part => largestDifference(valuesOf(part), length)),
    2 * stepNoise(valuesOf(early)),
    Math.abs(before) * leastShare,
    Number.EPSILON
  )
  return {
    direction: after >= before ? 'up' : 'down',
    before,
    after,
    strength: Math.abs(after - before) / usual
  }
}

/** The largest difference of the medians of two neighbouring windows, 95 % of them lie below. */
function largestDifference(values: readonly number[], length: number): number {
  const levels = values
    .slice(length - 1)
    .map((_, index) => median(values.slice(index, index + length)))
  const differences = levels
    .slice(length)
    .map((level, index) => Math.abs(level - (levels[index] ?? level)))
    .sort((a, b) => a - b)
  return differences[Math.floor(differences.length * 0.95)] ?? 0
}
