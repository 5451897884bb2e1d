import type { Knex } from '../../../core/index.ts'
import { incidentStore } from './incidents.ts'

// What an event costs beside its body: its row and its places in the indexes.
const rowBytes = 300

/** Deletes of received webhooks, an event with all that belongs to it. */
export const oldEvents = {
  /** The newest id that is over the limit of bytes, 0 when there is none. */
  async overQuota(db: Knex, maxBytes: number): Promise<number> {
    const { rows } = await db.raw(
      `select coalesce(max(event_id), 0)::float8 as id
      from (
        select event_id, sum(octet_length(raw) + ?) over (order by event_id desc) as bytes
        from webhooks_bodies
      ) as sums
      where bytes > ?`,
      [rowBytes, maxBytes]
    )
    return rows[0].id
  },

  /** Ids of at most `limit` events after one, in their order, that came before a time or up to an id. */
  async page(
    db: Knex,
    { after, before, upTo, limit }: { after: number; before: Date; upTo: number; limit: number }
  ): Promise<number[]> {
    const ids = await db('webhooks_events')
      .where('id', '>', after)
      .where(q => q.where('received_at', '<', before).orWhere('id', '<=', upTo))
      .orderBy('id')
      .limit(limit)
      .pluck('id')
    return ids.map(Number)
  },

  /** Ids that a subscriber has not been told of: their jobs wait, run, or failed and may be run again. */
  async untold(db: Knex, queues: readonly string[]): Promise<ReadonlySet<number>> {
    const { rows }: { rows: { id: number }[] } = await db.raw(
      `select distinct event::float8 as id
      from jobs.job, jsonb_array_elements_text(data->'ids') as ids (event)
      where name = any (?) and state not in ('completed', 'cancelled')
        and jsonb_typeof(data->'ids') = 'array'`,
      [[...queues]]
    )
    return new Set(rows.map(row => row.id))
  },

  /** Deletes these; answers how many bytes of bodies they had. */
  async remove(trx: Knex.Transaction, ids: readonly number[]): Promise<number> {
    await trx('webhooks_events')
      .whereIn('id', [...ids])
      .delete()
    await trx('webhooks_recent')
      .whereIn('event_id', [...ids])
      .delete()
    await trx('webhooks_redeliveries')
      .whereIn('event_id', [...ids])
      .delete()
    await incidentStore.forget(trx, ids)
    const { rows } = await trx.raw(
      `with gone as (
        delete from webhooks_bodies where event_id = any (?) returning octet_length(raw) as bytes
      )
      select coalesce(sum(bytes), 0)::float8 as bytes from gone`,
      [[...ids]]
    )
    return rows[0].bytes
  }
}
