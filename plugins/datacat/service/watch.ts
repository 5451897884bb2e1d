import type { Knex } from '../../../core/index.ts'
import type { SessionRow } from '../store/sessions.ts'
import { beat } from './beat.ts'
import { crashSuspended, sweep } from './silence.ts'
import type { Beat, OpenedSession, WatchParts } from './watched.ts'

// Sweeps come four times a second: after such a pause this process or its database was away.
const lateAfterMs = 5_000

/**
 * Watches over sessions that beat: hung, crashed, suspended, recovered, each with its event in the
 * same transaction.
 */
export const createWatch = (parts: WatchParts) => ({
  /** Notes a beat of a locked session and answers the condition it is in after it. */
  beat: (trx: Knex.Transaction, session: SessionRow, said: Beat, now: number) =>
    beat(trx, parts, session, said, now),
  /** Judges every session whose limit has passed; several processes may sweep at once. */
  sweep: createSweep(parts),
  /** A machine that begins anew has not come back from its pause. */
  crashSuspended: (trx: Knex.Transaction, opened: readonly OpenedSession[], now: number) =>
    crashSuspended(trx, parts, opened, now)
})
export type Watch = ReturnType<typeof createWatch>

/**
 * Sweeps, and knows when one comes late: nobody could be heard since the last that succeeded, so
 * every session is taken to have beaten when this one came.
 */
function createSweep(parts: WatchParts): () => Promise<number> {
  const { bootedAt, log } = parts
  let wokeAt = 0
  let sweptAt: number | undefined
  return async () => {
    const now = Date.now()
    const pauseMs = sweptAt === undefined ? 0 : now - sweptAt
    const isLate = pauseMs > lateAfterMs
    const count = await sweep(parts, { now, wokeAt: isLate ? now : wokeAt, bootedAt })
    if (isLate) {
      wokeAt = now
      log.info({ pauseMs }, 'heartbeats were not judged for a while; every session gets its time')
    }
    sweptAt = Date.now()
    return count
  }
}
