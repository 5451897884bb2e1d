import { dayMs, type JobContext, type KeptEvent, type Knex } from '../../../core/index.ts'
import type { EventLinks } from '../contract.ts'
import { oldEvents } from '../store/old-events.ts'

const atOnce = 500

export interface Retention {
  readonly db: Knex
  readonly received: KeptEvent
  readonly links: EventLinks | undefined
  /** Tells others of the events in the transaction that deletes them. */
  readonly deleted: (trx: Knex.Transaction, ids: readonly number[]) => Promise<void>
  /** Days that are kept and MB of bodies; 0 is without a limit. */
  readonly days: number
  readonly quotaMb: number
}

/**
 * Deletes events that are too old or over the quota, oldest first, a few at a time. What a job still has to tell of,
 * and what is being analysed, stays for another day.
 */
export async function deleteOldEvents(
  { db, received, links, deleted, days, quotaMb }: Retention,
  { log, signal }: Pick<JobContext, 'log' | 'signal'>
): Promise<{ events: number; bytes: number; kept: number }> {
  const before = new Date(days === 0 ? 0 : Date.now() - days * dayMs)
  const upTo = quotaMb === 0 ? 0 : await oldEvents.overQuota(db, quotaMb * 1_048_576)
  const untold = await oldEvents.untold(db, received.queues())
  let [events, bytes, kept] = [0, 0, 0]
  for (let after = 0; ;) {
    signal.throwIfAborted()
    const ids = await oldEvents.page(db, { after, before, upTo, limit: atOnce })
    const linked = await links?.of(ids)
    const isNeeded = (id: number): boolean =>
      untold.has(id) || ['pending', 'running'].includes(linked?.get(id)?.rca?.status ?? '')
    const gone = ids.filter(id => !isNeeded(id))
    if (gone.length > 0)
      bytes += await db.transaction(async trx => {
        await deleted(trx, gone)
        return oldEvents.remove(trx, gone)
      })
    events += gone.length
    kept += ids.length - gone.length
    after = ids.at(-1) ?? after
    if (ids.length < atOnce) break
  }
  if (events + kept > 0)
    log.info({ events, bytes, kept, days, quotaMb }, 'retention: old webhooks were deleted')
  return { events, bytes, kept }
}
