import type { Knex } from '../../../core/index.ts'
import { applyFilter, type SessionFilter } from './filters.ts'
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
    return ((await query) as RawSession[]).map(sessionOf)
  },

  async count(db: Knex, filter: SessionFilter): Promise<number> {
    const query = db('datacat_sessions as s').count({ n: '*' })
    applyFilter(query, filter)
    return Number(((await query) as unknown as { n: string }[])[0]?.n ?? 0)
  },

  /** Oldest first, after a key: for exports. */
  async after(db: Knex, filter: SessionFilter, key: number, limit: number): Promise<SessionRow[]> {
    const query = db('datacat_sessions as s')
      .select(columns)
      .where('s.key', '>', key)
      .orderBy('s.key')
      .limit(limit)
    applyFilter(query, filter)
    return ((await query) as RawSession[]).map(sessionOf)
  },

  /** Sessions written to at or after a time, the latest first. */
  async changed(db: Knex, since: number): Promise<SessionRow[]> {
    return (
      (await db('datacat_sessions as s')
        .select(columns)
        .where('s.updated_at', '>=', since)
        .orderBy('s.updated_at', 'desc')
        .limit(20_000)) as RawSession[]
    ).map(sessionOf)
  },

  async totals(
    db: Knex
  ): Promise<
    Record<
      | 'sessions'
      | 'active'
      | 'ended'
      | 'hung'
      | 'crashed'
      | 'suspended'
      | 'events'
      | 'metrics'
      | 'states',
      number
    >
  > {
    const {
      rows: [row]
    } =
      await db.raw(`select count(*) as sessions, count(*) filter (where active) as active, count(*) filter (where not active) as ended,
      count(*) filter (where active and condition = 'hung') as hung, count(*) filter (where active and condition = 'crashed') as crashed, count(*) filter (where active and condition = 'suspended') as suspended,
      coalesce(sum(events), 0) as events, coalesce(sum(points), 0) as metrics, coalesce(sum(states), 0) as states from datacat_sessions`)
    return Object.fromEntries(
      Object.entries(row as Record<string, string>).map(([name, value]) => [name, Number(value)])
    ) as never
  },

  async products(db: Knex): Promise<
    {
      product: string
      versions: string[]
      sessions: number
      active: number
      hung: number
      crashed: number
    }[]
  > {
    const { rows } =
      await db.raw(`select product, array_agg(distinct version) filter (where version is not null) as versions, count(*)::int as sessions, (count(*) filter (where active))::int as active,
      (count(*) filter (where ever_hung))::int as hung, (count(*) filter (where condition = 'crashed'))::int as crashed from datacat_sessions where product is not null group by product order by product`)
    return (
      rows as {
        product: string
        versions: string[] | null
        sessions: number
        active: number
        hung: number
        crashed: number
      }[]
    ).map(row => ({ ...row, versions: row.versions ?? [] }))
  },

  async machines(db: Knex): Promise<
    {
      machine_id: string
      hostname: string | null
      sessions: number
      active: number
      last_seen_at: number
    }[]
  > {
    const { rows } = await db.raw(
      'select machine_id, max(hostname) as hostname, count(*)::int as sessions, (count(*) filter (where active))::int as active, max(updated_at) as last_seen_at from datacat_sessions where machine_id is not null group by machine_id order by machine_id'
    )
    return (
      rows as {
        machine_id: string
        hostname: string | null
        sessions: number
        active: number
        last_seen_at: string
      }[]
    ).map(row => ({ ...row, last_seen_at: Number(row.last_seen_at) }))
  },

  async metrics(
    db: Knex
  ): Promise<
    { name: string; type: string; unit: string | null; sessions: number; points: number }[]
  > {
    const { rows } = await db.raw(
      'select name, max(kind) as type, max(unit) as unit, count(*)::int as sessions, sum(points) as points from datacat_series r where points > 0 and exists (select from datacat_sessions s where s.key = r.session_key) group by name order by name'
    )
    return (
      rows as {
        name: string
        type: string
        unit: string | null
        sessions: number
        points: string
      }[]
    ).map(row => ({ ...row, points: Number(row.points) }))
  }
}
