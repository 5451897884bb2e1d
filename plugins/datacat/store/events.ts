import type { Knex } from '../../../core/index.ts'

/** One stored event; `n` counts within its session from 0, `data` and `extra` are JSON text. */
export interface EventRow {
  readonly n: number
  readonly at: number
  readonly receivedAt: number
  readonly name: string
  readonly level: string | null
  readonly data: string
  readonly extra: string | null
}
interface RawEvent {
  n: string
  at: string
  received_at: string
  name: string
  level: string | null
  data: string
  extra: string | null
}

/** All SQL that reads events. */
export const eventStore = {
  /** Events from the nth on, in the order they came; `until` is the first that is left out. */
  async page(
    db: Knex,
    session: number,
    page: {
      readonly from: number
      readonly until?: number
      readonly limit: number
      readonly name?: string | undefined
      readonly level?: string | undefined
    }
  ): Promise<EventRow[]> {
    const rows = (await db('datacat_events')
      .where({ session_key: session })
      .where('n', '>=', page.from)
      .where(query => {
        if (page.until !== undefined) query.where('n', '<', page.until)
        if (page.name !== undefined) query.where({ name: page.name })
        if (page.level !== undefined) query.where({ level: page.level })
      })
      .orderBy('n')
      .limit(page.limit)
      .select('n', 'at', 'received_at', 'name', 'level', 'data', 'extra')) as RawEvent[]
    return rows.map(row => ({
      n: Number(row.n),
      at: Number(row.at),
      receivedAt: Number(row.received_at),
      name: row.name,
      level: row.level,
      data: row.data,
      extra: row.extra
    }))
  },

  /** Events from the nth to before `until`, in pages. */
  async *all(db: Knex, session: number, from: number, until: number): AsyncGenerator<EventRow[]> {
    for (let next = from; next < until;) {
      const rows = await eventStore.page(db, session, { from: next, until, limit: 2_000 })
      const last = rows.at(-1)
      if (!last) return
      yield rows
      next = last.n + 1
    }
  }
}
