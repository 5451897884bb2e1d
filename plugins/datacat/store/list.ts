import type { Knex } from '../../../core/index.ts'
import { applyFilter, type SessionFilter } from './filters.ts'
import { withinList } from './patience.ts'
import { sessionColumns, sessionOf, type RawSession, type SessionRow } from './sessions.ts'

const columns = sessionColumns.map(name => `s.${name}`)

/** SQL over many sessions. */
export const listStore = {
  /** Newest first: a page by number, or everything opened before a key. */
  async page(
    db: Knex,
    filter: SessionFilter,
    page: { readonly limit: number; readonly offset?: number; readonly before?: number | undefined }
  ): Promise<SessionRow[]> {
    const query = db('datacat_sessions as s')
      .select(columns)
      .orderBy('s.key', 'desc')
      .limit(page.limit)
    applyFilter(query, filter)
    if (page.before !== undefined) query.where('s.key', '<', page.before)
    else if (page.offset) query.offset(page.offset)
    return ((await withinList(query)) as RawSession[]).map(sessionOf)
  },

  async count(db: Knex, filter: SessionFilter): Promise<number> {
    const query = db('datacat_sessions as s').count({ n: '*' })
    applyFilter(query, filter)
    const [row] = (await withinList(query)) as { n: string }[]
    return Number(row?.n)
  },

  /** Oldest first, after a key: for exports. */
  async after(db: Knex, filter: SessionFilter, key: number, limit: number): Promise<SessionRow[]> {
    const query = db('datacat_sessions as s')
      .select(columns)
      .where('s.key', '>', key)
      .orderBy('s.key')
      .limit(limit)
    applyFilter(query, filter)
    return ((await withinList(query)) as RawSession[]).map(sessionOf)
  },

  /** Sessions written to at or after a time, the latest first. */
  async changed(db: Knex, since: number): Promise<SessionRow[]> {
    const rows = (await db('datacat_sessions as s')
      .select(columns)
      .where('s.updated_at', '>=', since)
      .orderBy('s.updated_at', 'desc')
      .limit(20_000)) as RawSession[]
    return rows.map(sessionOf)
  }
}
