import { leastSimilarity, type PastIncident, type RecalledIncident } from './recall.ts'

// Vectors of any two texts are somewhat alike; from here on likeness is told.
const leastCosine = 0.7
// How far likeness of meaning alone goes: a second signal beside shared signs, not the first.
const trustInMeaning = 0.4

/**
 * Adds how near the meaning of past incidents is (cosines by id) to how many signs they share. It adds and never
 * takes away, so that an answer without vectors is the same answer, only poorer. Nearest first, ties by id.
 */
export function fuseRecall(
  recalled: readonly RecalledIncident[],
  nearness: ReadonlyMap<PastIncident['id'], number>
): RecalledIncident[] {
  return recalled
    .map(one => {
      const cosine = nearness.get(one.id) ?? 0
      const likeness = Math.min(1, Math.max(0, (cosine - leastCosine) / (1 - leastCosine)))
      const similarity = one.similarity + trustInMeaning * (1 - one.similarity) * likeness
      return {
        ...one,
        similarity,
        isClose: similarity >= leastSimilarity,
        reasons:
          likeness === 0
            ? one.reasons
            : [...one.reasons, `reads alike (cosine ${cosine.toFixed(2)})`]
      }
    })
    .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
}
