import { isoTime, type EpochMs } from '../../../core/index.ts'
import type { EvidenceSlot, Report } from '../contract.ts'

export interface Onset { readonly at: EpochMs; readonly source: string; readonly evidence: readonly string[]; /** Width of the bucket the onset lies in, ms. */ readonly precision: number }

/** When the trouble began: the first lasting step of the monitor's own metric before the alert, else the alert's time. */
export function findOnset(slots: readonly EvidenceSlot[], alertAt: EpochMs): Onset {
  const steps = (slots.find(slot => slot.slot === 'metric')?.rows ?? []).flatMap(row => {
    const step = firstLastingStep(pointsOf(row.facts['points']), alertAt)
    return step === undefined ? [] : [{ at: step as EpochMs, source: 'the metric left its earlier range', evidence: [row.id], precision: Number(row.facts['interval'] ?? 60) * 1000 }]
  })
  steps.sort((a, b) => a.at - b.at || (a.evidence[0] ?? '').localeCompare(b.evidence[0] ?? ''))
  return steps[0] ?? { at: alertAt, source: 'the time of the alert; no step was found in a metric', evidence: [], precision: 5 * 60_000 }
}

export const onsetOnWire = (onset: Onset): Report['onset'] => ({ at: isoTime(onset.at), source: onset.source, evidence: [...onset.evidence] })

/** [epoch ms, value] pairs without the empty buckets. */
export function pointsOf(packed: unknown): [number, number][] {
  const points = typeof packed === 'string' ? JSON.parse(packed) as [number, number | null][] : []
  return points.filter((point): point is [number, number] => point[1] !== null)
}

/** A bucket starts a step when it and two of the next three are outside the range of everything before it by a robust margin. */
function firstLastingStep(points: readonly [number, number][], alertAt: number): number | undefined {
  const minimum = 8
  for (let index = minimum; index < points.length; index += 1) {
    const [at, value] = points[index] ?? [0, 0]
    if (at > alertAt) return undefined
    const before = points.slice(0, index).map(point => point[1])
    const centre = median(before)
    const spread = Math.max(median(before.map(v => Math.abs(v - centre))) * 1.4826, Math.abs(centre) * 0.02, 1e-9)
    const outside = (v: number): boolean => Math.abs(v - centre) > 6 * spread
    const next = points.slice(index + 1, index + 4).map(point => point[1])
    if (outside(value) && next.length > 0 && next.filter(outside).length >= Math.min(2, next.length)) return at
  }
  return undefined
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] ?? 0 : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
