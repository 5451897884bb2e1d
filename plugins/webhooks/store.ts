import type { Knex } from '../../core/index.ts'
import type { Alert, EventCounts, PastAlert } from './contract.ts'

/** One webhook as it is about to be committed. */
export interface NewEvent {
  /** 32 hex digits; equal keys are the same webhook. */
  readonly dedupeKey: string
  readonly account: string | null
  readonly receivedAt: Date
  readonly raw: Uint8Array
  readonly headers: Readonly<Record<string, unknown>>
  /** The first version's payload fields, as sent. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly alert: Alert
}
export interface StoredEvent extends Omit<NewEvent, 'raw' | 'dedupeKey' | 'headers'> {
  readonly id: number
  readonly duplicates: number
}
export interface Inserted {
  readonly id: number
  readonly duplicate: boolean
}

// One JSON text and one byte string a statement: arrays of values would be escaped one by one.
const insertSql = `
  insert into webhooks_events (dedupe_key, account, received_at, raw, headers, fields, alert)
  select key, account, to_timestamp(at / 1000), substring(?::bytea from start + 1 for size), headers, fields, alert
  from jsonb_to_recordset(?::jsonb) as event (key uuid, account text, at double precision, start integer, size integer, headers jsonb, fields jsonb, alert jsonb)
  on conflict (dedupe_key) do update set duplicates = webhooks_events.duplicates + 1, last_duplicate_at = excluded.received_at
  returning id, replace(dedupe_key::text, '-', '') as dedupe_key, (xmax = 0) as inserted`

const columns = ['id', 'account', 'received_at', 'fields', 'alert', 'duplicates'] as const

/** All SQL of received webhooks. */
export const eventStore = {
  /**
   * Inserts many events in one statement; the unique key decides what is a duplicate, also inside the batch.
   * Rows go in sorted by key, so that two statements under way never wait for each other in a circle.
   */
  async insert(trx: Knex.Transaction, events: readonly NewEvent[]): Promise<Inserted[]> {
    const first = new Map<string, NewEvent>()
    for (const event of events) if (!first.has(event.dedupeKey)) first.set(event.dedupeKey, event)
    const rows = [...first.values()].sort((a, b) => (a.dedupeKey < b.dedupeKey ? -1 : 1))
    let start = 0
    const facts = rows.map(({ dedupeKey, account, receivedAt, raw, headers, fields, alert }) => {
      start += raw.length
      return {
        key: dedupeKey,
        account,
        at: receivedAt.getTime(),
        start: start - raw.length,
        size: raw.length,
        headers,
        fields,
        alert
      }
    })
    const { rows: stored } = await trx.raw(insertSql, [
      Buffer.concat(rows.map(row => row.raw)),
      JSON.stringify(facts)
    ])
    const byKey = new Map(
      (stored as { id: string; dedupe_key: string; inserted: boolean }[]).map(row => [
        row.dedupe_key,
        row
      ])
    )
    return events.map(event => {
      const row = byKey.get(event.dedupeKey)
      if (!row) throw new Error('an inserted event came back without a row')
      return {
        id: Number(row.id),
        duplicate: !row.inserted || first.get(event.dedupeKey) !== event
      }
    })
  },

  async insertPast(db: Knex, alerts: readonly PastAlert[]): Promise<number> {
    const rows = alerts.map(({ key, receivedAt, body, alert }) => ({
      dedupe_key: key,
      account: null,
      received_at: receivedAt,
      raw: Buffer.from(JSON.stringify(body)),
      headers: '{}',
      fields: JSON.stringify(body),
      alert: JSON.stringify(alert)
    }))
    return (
      await db('webhooks_events').insert(rows).onConflict('dedupe_key').ignore().returning('id')
    ).length
  },

  async counts(db: Knex, limit: number): Promise<EventCounts> {
    const wants = "(alert->>'firing')::boolean and alert->>'status' not in ('ok', 'no_data')"
    const byStatus = await db('webhooks_events')
      .select(db.raw("alert->>'status' as alert_status"))
      .count({ n: '*' })
      .groupByRaw("alert->>'status'")
    const [sums] = await db('webhooks_events').select(
      db.raw(
        `count(*) as total, count(*) filter (where received_at > now() - interval '24 hours') as last_day, count(*) filter (where not (${wants})) as settled`
      )
    )
    const waiting = await db('webhooks_events')
      .whereRaw(wants)
      .orderBy('id', 'desc')
      .limit(limit)
      .pluck('id')
    const { total, last_day: lastDay, settled } = sums as unknown as Record<string, string>
    return {
      total: Number(total),
      lastDay: Number(lastDay),
      settled: Number(settled),
      byAlertStatus: Object.fromEntries(
        (byStatus as unknown as { alert_status: string; n: string }[]).map(row => [
          row.alert_status,
          Number(row.n)
        ])
      ),
      waiting: waiting.map(Number)
    }
  },

  async find(db: Knex, id: number): Promise<StoredEvent | undefined> {
    const row = await db('webhooks_events')
      .where({ id })
      .first(...columns)
    return row && stored(row)
  },

  /** Newest first: by page, or everything before an id. */
  async list(
    db: Knex,
    page: { readonly limit: number; readonly offset: number; readonly before?: number }
  ): Promise<{ events: StoredEvent[]; total: number }> {
    const rows = db('webhooks_events')
      .select(...columns)
      .orderBy('id', 'desc')
      .limit(page.limit)
    const found = await (page.before === undefined
      ? rows.offset(page.offset)
      : rows.where('id', '<', page.before))
    const [count] = await db('webhooks_events').count({ total: '*' })
    return { events: found.map(stored), total: Number(count?.['total'] ?? 0) }
  }
}

const stored = (row: {
  id: string
  account: string | null
  received_at: Date
  fields: Record<string, unknown>
  alert: Alert
  duplicates: number
}): StoredEvent => ({
  id: Number(row.id),
  account: row.account,
  receivedAt: row.received_at,
  fields: row.fields,
  alert: row.alert,
  duplicates: row.duplicates
})
