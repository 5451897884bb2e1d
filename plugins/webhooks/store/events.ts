import type { Knex } from '../../../core/index.ts'
import type { EventCounts } from '../contract.ts'

/** The row of an event: what is asked of many at once. */
export interface EventRow {
  readonly id: number
  readonly account: string | null
  readonly receivedAt: Date
  readonly status: string
  readonly duplicates: number
}
/** A webhook of the past as it is stored; `key` is a UUID. */
export interface PastEvent {
  readonly key: string
  readonly receivedAt: Date
  readonly status: string
  readonly monitorId: string | null
  readonly service: string | null
  readonly raw: Buffer
}
/** A body as it came, with the headers that say how to read it. */
export interface Body {
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly raw: Buffer
}
/** Which events; all of the given conditions hold. */
export interface EventFilter {
  readonly monitor?: string | undefined
  readonly status?: string | undefined
  readonly account?: string | undefined
  readonly service?: string | undefined
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

const columns = ['id', 'account', 'received_at', 'status', 'duplicates'] as const
const settledStatuses = ['ok', 'no_data']

/** Reads of received webhooks, and those of the past. */
export const eventStore = {
  /** Webhooks at their own times, whatever else is there; answers how many are new. */
  async insertPast(db: Knex, alerts: readonly PastEvent[]): Promise<number> {
    return db.transaction(async trx => {
      const inserted = (await trx('webhooks_events')
        .insert(
          alerts.map(({ key, receivedAt, status, monitorId, service }) => ({
            key,
            received_at: receivedAt,
            status,
            monitor_id: monitorId,
            service
          }))
        )
        .onConflict(trx.raw('(key) where key is not null'))
        .ignore()
        .returning(['id', 'key'])) as { id: string; key: string }[]
      const raws = new Map(alerts.map(alert => [alert.key.toLowerCase(), alert.raw]))
      if (inserted.length > 0)
        await trx('webhooks_bodies').insert(
          inserted.map(({ id, key }) => ({ event_id: id, raw: raws.get(key) }))
        )
      return inserted.length
    })
  },

  async counts(db: Knex, limit: number): Promise<EventCounts> {
    const byStatus: { status: string; total: string; last_day: string }[] = await db(
      'webhooks_events'
    )
      .select('status')
      .count({ total: '*' })
      .select(
        db.raw("count(*) filter (where received_at > now() - interval '24 hours') as last_day")
      )
      .groupBy('status')
    const waiting = await db('webhooks_events')
      .whereNotIn('status', settledStatuses)
      .orderBy('id', 'desc')
      .limit(limit)
      .pluck('id')
    const sum = (figures: readonly string[]): number =>
      figures.reduce((total, figure) => total + Number(figure), 0)
    return {
      total: sum(byStatus.map(row => row.total)),
      lastDay: sum(byStatus.map(row => row.last_day)),
      settled: sum(
        byStatus.filter(row => settledStatuses.includes(row.status)).map(row => row.total)
      ),
      byAlertStatus: Object.fromEntries(byStatus.map(row => [row.status, Number(row.total)])),
      waiting: waiting.map(Number)
    }
  },

  async find(db: Knex, id: number): Promise<EventRow | undefined> {
    const row = await db('webhooks_events')
      .where({ id })
      .first(...columns)
    return row && eventOf(row)
  },

  /** The rows of these ids that are there, oldest first. */
  async rows(db: Knex, ids: readonly number[]): Promise<EventRow[]> {
    const rows = await db('webhooks_events')
      .whereIn('id', [...ids])
      .orderBy('id')
      .select(...columns)
    return rows.map(eventOf)
  },

  /** Newest first: by page, or everything before an id. */
  async list(
    db: Knex,
    page: {
      readonly filter: EventFilter
      readonly limit: number
      readonly offset: number
      readonly before?: number
    }
  ): Promise<{ events: EventRow[]; total: number }> {
    const all = db('webhooks_events').where(query => narrow(query, page.filter))
    const rows = all
      .clone()
      .select(...columns)
      .orderBy('id', 'desc')
      .limit(page.limit)
    const found = await (page.before === undefined
      ? rows.offset(page.offset)
      : rows.where('id', '<', page.before))
    const [count] = await all.count({ total: '*' })
    return { events: found.map(eventOf), total: Number(count?.['total']) }
  },

  /** The first delivery's body. */
  async body(db: Knex, id: number): Promise<Body | undefined> {
    const row = await db('webhooks_bodies').where({ event_id: id }).first('headers', 'raw')
    return row && bodyOf(row)
  },

  /** Bodies of at most `maxBytes`; larger ones are left to `body`, one after another. */
  async smallBodies(
    db: Knex,
    ids: readonly number[],
    maxBytes: number
  ): Promise<ReadonlyMap<number, Body>> {
    const rows = await db('webhooks_bodies')
      .whereIn('event_id', [...ids])
      .whereRaw('length(raw) <= ?', [maxBytes])
      .select('event_id', 'headers', 'raw')
    return new Map(rows.map(row => [Number(row.event_id), bodyOf(row)]))
  },

  /** The nth body, from 1, that came again under the same id and with other bytes. */
  async redelivery(db: Knex, id: number, nth: number): Promise<Body | undefined> {
    const row = await db('webhooks_redeliveries')
      .where({ event_id: id })
      .orderBy('id')
      .offset(nth - 1)
      .first('headers', 'raw')
    return row && bodyOf(row)
  },

  /** Lets go of bytes that came so long ago that they are no second delivery any more. */
  async forgetBytes(db: Knex): Promise<void> {
    await db.raw(`
      delete from webhooks_recent where bytes in (
        select bytes
        from webhooks_recent
        where seen_at < now() - interval '10 minutes'
        for update skip locked
      )`)
  }
}

function narrow(query: Knex.QueryBuilder, filter: EventFilter): void {
  const { monitor, status, account, service, from, to } = filter
  if (monitor !== undefined) query.where({ monitor_id: monitor })
  if (status !== undefined) query.where({ status })
  if (account !== undefined) query.where({ account })
  if (service !== undefined) query.where({ service })
  if (from !== undefined) query.where('received_at', '>=', from)
  if (to !== undefined) query.where('received_at', '<', to)
}

const eventOf = (row: {
  id: string
  account: string | null
  received_at: Date
  status: string
  duplicates: number
}): EventRow => ({
  id: Number(row.id),
  account: row.account,
  receivedAt: row.received_at,
  status: row.status,
  duplicates: row.duplicates
})

const bodyOf = (row: { headers: Body['headers'] | null; raw: Buffer }): Body => ({
  headers: row.headers ?? { 'content-type': 'application/json' },
  raw: row.raw
})
