import type { Knex } from '../../../core/index.ts'

const bySeries = (table: string): string =>
  `delete from ${table}
  where ctid = any(array(
      select p.ctid
      from datacat_series s
      join ${table} p on p.series_id = s.id
      where s.session_key = ?
      limit 20000
    ))
    and series_id in (select id from datacat_series where session_key = ?)`
const bySession = (table: string): string =>
  `delete from ${table}
  where ctid = any(array(select ctid from ${table} where session_key = ? limit 20000))
    and session_key = ?`
// A ctid alone is not unique over partitions, so the owner is asked again. Series go last: the rest
// is found through them.
const statements = {
  points: bySeries('datacat_points'),
  rollups: bySeries('datacat_rollups'),
  events: bySession('datacat_events'),
  states: bySession('datacat_states'),
  current: bySession('datacat_current_states'),
  values: bySession('datacat_state_values'),
  batches: bySession('datacat_batches'),
  heartbeats: bySession('datacat_heartbeats'),
  series: bySession('datacat_series')
} as const

/** SQL that deletes. */
export const purgeStore = {
  tables: Object.keys(statements) as (keyof typeof statements)[],

  /** Deletes some rows of a session from one table; answers how many. */
  async slice(db: Knex, table: keyof typeof statements, sessionKey: number): Promise<number> {
    const { rowCount } = await db.raw(statements[table], [sessionKey, sessionKey])
    return Number(rowCount)
  },

  /** Takes sessions out of sight that were neither written to nor beat since a time; answers their keys. */
  async removeIdle(trx: Knex.Transaction, before: number, limit: number): Promise<number[]> {
    const keys = (await trx('datacat_sessions')
      .where('updated_at', '<', before)
      .whereNotExists(
        trx('datacat_heartbeats')
          .select(trx.raw('1'))
          .whereRaw('session_key = datacat_sessions.key')
          .where('last_at', '>=', before)
      )
      .orderBy('key')
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .pluck('key')) as string[]
    await trx('datacat_sessions').whereIn('key', keys).delete()
    return keys.map(Number)
  },

  /** Forgets keys of batches received before a time. */
  async oldKeys(db: Knex, before: number): Promise<void> {
    await db('datacat_batches').where('received_at', '<', before).delete()
  }
}
