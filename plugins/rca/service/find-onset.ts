import { epochMs, isoTime, type EpochMs } from '../../../core/index.ts'
import type { EvidenceRow, EvidenceSlot, Report } from '../contract.ts'
import { earlierMetric } from './ask-earlier.ts'
import { usualWander } from './engine/usual-wander.ts'

export interface Onset {
  readonly at: EpochMs
  readonly source: string
  readonly evidence: readonly string[]
  /** Width of the bucket the onset lies in, ms. */
  readonly precision: number
  /** Whether noise may look like this step, so that earlier windows should be asked for. */
  readonly isWeak: boolean
}

/** A run of unusual buckets that leads to the alert. */
interface Step {
  readonly at: number
  /** How far its level is from the middle of the quiet part, and that in spreads of the quiet part. */
  readonly distance: number
  readonly spreads: number
  /** Buckets of the run, and of the quiet part. */
  readonly length: number
  readonly before: number
}

// A step of more spreads than these is no noise.
const plainSpreads = 15
// How much farther than ever before a weak step must go.
const beyondUsual = 1.5

/**
 * When the trouble began: the first lasting step of the monitor's own metric before the alert, else the alert's time.
 * A weak step counts only where the same series never went so far in earlier windows, as far as those were asked for.
 */
export function findOnset(slots: readonly EvidenceSlot[], alertAt: EpochMs): Onset {
  const rows = slots.find(slot => slot.slot === 'metric')?.rows ?? []
  const earlier = slots.find(({ slot }) => slot === earlierMetric)?.rows ?? []
  const steps = rows.flatMap(row => {
    const step = firstLastingStep(pointsOf(row.facts['points']), alertAt)
    if (step === undefined) return []
    const isWeak = step.spreads < plainSpreads
    const windows = earlier.filter(one => isSameSeries(one, row)).map(valuesOfRow)
    if (isWeak && step.distance <= beyondUsual * usualWander(windows, step)) return []
    return [
      {
        at: epochMs(step.at),
        source: 'the metric left its earlier range',
        evidence: [row.id],
        precision: Number(row.facts['interval'] ?? 60) * 1000,
        isWeak: isWeak && windows.length === 0
      }
    ]
  })
  steps.sort((a, b) => a.at - b.at)
  return (
    steps[0] ?? {
      at: alertAt,
      source: 'the time of the alert; no step was found in a metric',
      evidence: [],
      precision: 5 * 60_000,
      isWeak: false
    }
  )
}

const isSameSeries = (one: EvidenceRow, other: EvidenceRow): boolean =>
  one.facts['metric'] === other.facts['metric'] && one.facts['scope'] === other.facts['scope']

const valuesOfRow = ({ facts }: EvidenceRow): number[] =>
  pointsOf(facts['points']).map(([, value]) => value)

export const onsetOnWire = (onset: Onset): NonNullable<Report['onset']> => ({
  at: isoTime(onset.at),
  source: onset.source,
  evidence: [...onset.evidence]
})

/** [epoch ms, value] pairs without the empty buckets. */
function pointsOf(packed: unknown): [number, number][] {
  const points = typeof packed === 'string' ? (JSON.parse(packed) as [number, number | null][]) : []
  return points.filter((point): point is [number, number] => point[1] !== null)
}

const quarterHour = 15 * 60_000
const quietShare = 0.6

/**
 * The start of the run of unusual buckets that leads to the alert. Unusual is far from the earlier part of the window,
 * both against its own spread and against the size of the change itself, so that noise is no step.
 */
function firstLastingStep(points: readonly [number, number][], alertAt: number): Step | undefined {
  const before = points.filter(([at]) => at <= alertAt)
  const quiet = before.slice(0, Math.floor(before.length * quietShare)).map(([, value]) => value)
  if (quiet.length < 5) return undefined
  const near = points.filter(
    ([at]) => at > alertAt - quarterHour && at <= alertAt + quarterHour / 3
  )
  const { centre, spread, isUnusual, isOff } = unusualAgainst(quiet, near)
  const lastAt = Math.max(alertAt, near.at(-1)?.[0] ?? alertAt)
  const buckets = points.filter(([at]) => at <= lastAt)
  const start = startOfRun(
    buckets.map(([at, value]) => ({ at, isUnusual: isUnusual(value) })),
    alertAt
  )
  if (start === undefined) return undefined
  const run = buckets.filter(([at]) => at >= start).map(([, value]) => value)
  const distance = Math.abs(median(run) - centre)
  return {
    at: footOf(buckets, start, isOff),
    distance,
    spreads: distance / spread,
    length: run.length,
    before: quiet.length
  }
}

function unusualAgainst(
  quiet: readonly number[],
  near: readonly [number, number][]
): {
  readonly centre: number
  readonly spread: number
  isUnusual(value: number): boolean
  isOff(value: number): boolean
} {
  const centre = median(quiet)
  const spread = Math.max(
    median(quiet.map(value => Math.abs(value - centre))) * 1.4826,
    Math.abs(centre) * 0.02,
    1e-9
  )
  const farthest = near.map(([, value]) => Math.abs(value - centre)).sort((x, y) => y - x)
  const change = median(farthest.slice(0, 5))
  return {
    centre,
    spread,
    isUnusual: value => Math.abs(value - centre) > Math.max(5 * spread, change * 0.25),
    isOff: value => Math.abs(value - centre) > 5 * spread
  }
}

/** Where a climb begins that is unusual from `start` on: the buckets before it that are off already. */
function footOf(
  buckets: readonly [number, number][],
  start: number,
  isOff: (value: number) => boolean
): number {
  let index = buckets.findIndex(([at]) => at === start)
  while (index > 0 && isOff(buckets[index - 1]?.[1] ?? Number.NaN)) index -= 1
  return buckets[index]?.[0] ?? start
}

/** One quiet bucket does not end a run, two do; a single unusual bucket is no run. */
function startOfRun(
  buckets: readonly { readonly at: number; readonly isUnusual: boolean }[],
  alertAt: number
): number | undefined {
  const last = buckets.findLastIndex(bucket => bucket.isUnusual)
  const end = buckets[last]
  if (!end || end.at < alertAt - quarterHour) return undefined
  let start = last
  let quietRun = 0
  for (let index = last - 1; index >= 0 && quietRun < 2; index--) {
    if (buckets[index]?.isUnusual) {
      start = index
      quietRun = 0
    } else quietRun++
  }
  const length = buckets.slice(start).filter(bucket => bucket.isUnusual).length
  return length >= 2 ? buckets[start]?.at : undefined
}

/** Of no values it is 0, which is far from nothing. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = 0, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1)
  return (low + high) / 2
}
