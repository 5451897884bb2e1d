import type { Knex } from '../../../core/index.ts'
import { analysisStore } from '../store/analyses.ts'

const lookMs = 1_000

/**
 * A signal that aborts soon after somebody cancels the analysis, in whatever process that was; `stop` ends the looking.
 */
export function watchCancellation(
  db: Knex,
  analysisId: string
): { readonly signal: AbortSignal; stop(): void } {
  const cancelled = new AbortController()
  let isLooking = false
  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    void analysisStore
      .statusOf(db, analysisId)
      // A database that is away is looked at again.
      .catch(() => undefined)
      .then(status => {
        isLooking = false
        if (status === 'cancelled') cancelled.abort(new Error('somebody cancelled the analysis'))
      })
  }, lookMs)
  return { signal: cancelled.signal, stop: () => clearInterval(timer) }
}
