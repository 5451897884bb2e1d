import type { Knex } from '../../../core/index.ts'
import { plainArray } from './arrays.ts'
import type { Condition } from './sessions.ts'

/** The watch over one session; times and limits are milliseconds. */
export interface HeartbeatRow {
  readonly session: number
  readonly lastAt: number
  readonly hungAfterMs: number
  readonly crashedAfterMs: number
  readonly condition: Condition
}
interface RawHeartbeat {
  session_key: string
  last_at: string
  hung_after_ms: string
  crashed_after_ms: string
  condition: Condition
}
const heartbeatOf = (row: RawHeartbeat): HeartbeatRow => ({
  session: Number(row.session_key),
  lastAt: Number(row.last_at),
  hungAfterMs: Number(row.hung_after_ms),
  crashedAfterMs: Number(row.crashed_after_ms),
  condition: row.condition
})

const dueSql = `
  select s.id
  from datacat_heartbeats h
  join datacat_sessions s on s.key = h.session_key
  where (h.condition in ('ok', 'recovered') and h.last_at + h.hung_after_ms <= ?)
    or (h.condition in ('ok', 'recovered', 'hung') and h.last_at + h.crashed_after_ms <= ?)
  limit 500`
const beatSql = `
  with asked as (
    select s.id, h.session_key
    from datacat_sessions s
    join datacat_heartbeats h on h.session_key = s.key
    where s.id = any(?::uuid[])
      and h.condition in ('ok', 'recovered')
      and s.active
    order by h.session_key
    for update of h
  )
  update datacat_heartbeats h
  set last_at = greatest(h.last_at, ?)
  from asked
  where h.session_key = asked.session_key
  returning asked.id`

/** All SQL of heartbeats. */
export const heartbeatStore = {
  /** Notes beats of sessions that are well; answers the ids it found. The others take the longer way. */
  async beat(db: Knex, ids: readonly string[], now: number): Promise<ReadonlySet<string>> {
    const { rows } = await db.raw(beatSql, [plainArray(ids), now])
    return new Set((rows as { id: string }[]).map(row => row.id))
  },

  async lock(
    trx: Knex.Transaction,
    sessions: readonly number[]
  ): Promise<ReadonlyMap<number, HeartbeatRow>> {
    const rows = (await trx('datacat_heartbeats')
      .whereIn('session_key', [...sessions])
      .orderBy('session_key')
      .forUpdate()) as RawHeartbeat[]
    return new Map(rows.map(row => [Number(row.session_key), heartbeatOf(row)]))
  },

  async save(trx: Knex.Transaction, row: HeartbeatRow): Promise<void> {
    await trx('datacat_heartbeats')
      .insert({
        session_key: row.session,
        last_at: row.lastAt,
        hung_after_ms: row.hungAfterMs,
        crashed_after_ms: row.crashedAfterMs,
        condition: row.condition
      })
      .onConflict('session_key')
      .merge()
  },

  /** Ids of sessions whose next limit has passed; nothing is locked. */
  async due(db: Knex, now: number): Promise<string[]> {
    const { rows } = await db.raw(dueSql, [now, now])
    return (rows as { id: string }[]).map(row => row.id)
  },

  async find(db: Knex, session: number): Promise<HeartbeatRow | undefined> {
    const row = (await db('datacat_heartbeats').where({ session_key: session }).first()) as
      | RawHeartbeat
      | undefined
    return row && heartbeatOf(row)
  },

  async lastBeats(db: Knex, sessions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = (await db('datacat_heartbeats')
      .whereIn('session_key', [...sessions])
      .select('session_key', 'last_at')) as RawHeartbeat[]
    return new Map(rows.map(row => [Number(row.session_key), Number(row.last_at)]))
  }
}
