import type { Claim, EvidenceSlot } from '../contract.ts'
import type { Series } from './engine/change-points.ts'
import { median } from './engine/statistics.ts'
import { inScope, rowsOf, seriesOf, textFact } from './read-rows.ts'

// Of five parts of the time until the onset each must be higher than the one before, and the last by this factor.
const parts = 5
const leastGrowth = 1.15

/** Whether a series grew all the time until the onset, epoch ms, without a step: what is never given back. */
export function isGrowing({ times, values }: Series, onset: number): boolean {
  const known = times.flatMap((at, i) => (at < onset && values[i] != null ? [values[i]] : []))
  const size = Math.floor(known.length / parts)
  if (size < 4) return false
  const levels = Array.from({ length: parts }, (_, i) =>
    median(known.slice(i * size, (i + 1) * size))
  )
  const steps = levels.slice(1).map((level, i) => level - (levels[i] ?? level))
  const [first = 0, last = 0] = [levels[0], levels.at(-1)]
  const total = last - first
  return (
    first > 0 && last >= leastGrowth * first && steps.every(step => step > 0 && step < total * 0.6)
  )
}

/** Memory of a service that grew all the time until the onset, as a claim; undefined where none did. */
export function memoryGrowth(
  slots: readonly EvidenceSlot[],
  service: string | null,
  onset: number
): Claim | undefined {
  const grown = rowsOf(slots, 'metric-resources').filter(
    row =>
      /memory|heap|rss/i.test(textFact(row, 'metric') ?? '') &&
      inScope(row, 'service') === service &&
      isGrowing(seriesOf(row), onset)
  )
  return grown.length === 0
    ? undefined
    : {
        text: `${grown.map(row => textFact(row, 'metric')).join(', ')} of ${service} grew all the time until the onset`,
        evidence: grown.map(({ id }) => id)
      }
}
