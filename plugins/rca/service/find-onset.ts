import { isoTime, type EpochMs } from '../../../core/index.ts'
import type { EvidenceSlot, Report } from '../contract.ts'

export interface Onset {
  readonly at: EpochMs
  readonly source: string
  readonly evidence: readonly string[]
  /** Width of the bucket the onset lies in, ms. */ readonly precision: number
}

/** When the trouble began: the first lasting step of the monitor's own metric before the alert, else the alert's time. */
export function findOnset(slots: readonly EvidenceSlot[], alertAt: EpochMs): Onset {
  const steps = (slots.find(slot => slot.slot === 'metric')?.rows ?? []).flatMap(row => {
    const step = firstLastingStep(pointsOf(row.facts['points']), alertAt)
    return step === undefined
      ? []
      : [
          {
            at: step as EpochMs,
            source: 'the metric left its earlier range',
            evidence: [row.id],
            precision: Number(row.facts['interval'] ?? 60) * 1000
          }
        ]
  })
  steps.sort((a, b) => a.at - b.at || (a.evidence[0] ?? '').localeCompare(b.evidence[0] ?? ''))
  return (
    steps[0] ?? {
      at: alertAt,
      source: 'the time of the alert; no step was found in a metric',
      evidence: [],
      precision: 5 * 60_000
    }
  )
}

export const onsetOnWire = (onset: Onset): Report['onset'] => ({
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
 * The start of the run of unusual buckets that leads to the alert. Unusual is far from the earlier part of the window, both
 * against its own spread and against the size of the change itself, so that noise is no step; one quiet bucket does not end a run.
 */
function firstLastingStep(
  points: readonly [number, number][],
  alertAt: number
): number | undefined {
  const before = points.filter(point => point[0] <= alertAt)
  const quiet = before.slice(0, Math.floor(before.length * quietShare)).map(point => point[1])
  if (quiet.length < 5) return undefined
  const centre = median(quiet)
  const spread = Math.max(
    median(quiet.map(value => Math.abs(value - centre))) * 1.4826,
    Math.abs(centre) * 0.02,
    1e-9
  )
  const near = points.filter(
    point => point[0] > alertAt - quarterHour && point[0] <= alertAt + quarterHour / 3
  )
  const change = median(
    near
      .map(point => Math.abs(point[1] - centre))
      .sort((x, y) => y - x)
      .slice(0, 5)
  )
  const unusual = (value: number): boolean =>
    Math.abs(value - centre) > Math.max(5 * spread, change * 0.25)
  const tail = points.filter(point => point[0] <= Math.max(alertAt, near.at(-1)?.[0] ?? alertAt))
  let last = tail.findLastIndex(point => unusual(point[1]))
  if (last < 0 || (tail[last]?.[0] ?? 0) < alertAt - quarterHour) return undefined
  let start = last
  for (let quietRun = 0; last > 0 && quietRun < 2; last -= 1) {
    if (unusual(tail[last - 1]?.[1] ?? centre)) {
      start = last - 1
      quietRun = 0
    } else quietRun += 1
  }
  const length = tail.slice(start).filter(point => unusual(point[1])).length
  return length >= 2 ? tail[start]?.[0] : undefined
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
