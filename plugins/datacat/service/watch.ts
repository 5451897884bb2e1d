import type { Knex } from '../../../core/index.ts'
import type { SessionRow } from '../store/sessions.ts'
import { beat } from './beat.ts'
import { crashSuspended, sweep } from './silence.ts'
import type { Beat, OpenedSession, WatchParts } from './watched.ts'

/**
 * Watches over sessions that beat: hung, crashed, suspended, recovered, each with its event in the
 * same transaction.
 */
export const createWatch = (parts: WatchParts) => ({
  /** Notes a beat of a locked session and answers the condition it is in after it. */
  beat: (trx: Knex.Transaction, session: SessionRow, said: Beat, now: number) =>
    beat(trx, parts, session, said, now),
  /** Judges every session whose limit has passed; several processes may sweep at once. */
  sweep: (now = Date.now()) => sweep(parts, now),
  /** A machine that begins anew has not come back from its pause. */
  crashSuspended: (trx: Knex.Transaction, opened: readonly OpenedSession[], now: number) =>
    crashSuspended(trx, parts, opened, now)
})
export type Watch = ReturnType<typeof createWatch>
