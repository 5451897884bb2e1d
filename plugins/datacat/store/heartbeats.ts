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

/** When it is looked at who is silent, epoch milliseconds. */
export interface Look {
  readonly now: number
  /** Until then nobody could be heard, since this process slept or the database was away. */
  readonly wokeAt: number
  /** When this process started. */
  readonly bootedAt: number
}

const isWell = ({ condition }: HeartbeatRow): boolean =>
  condition === 'ok' || condition === 'recovered'
/** How long a session has been silent while it could be heard. */
const silenceMs = ({ lastAt }: HeartbeatRow, { now, wokeAt }: Look): number =>
  now - Math.max(lastAt, wokeAt)

/** Whether a session is to be called hung. */
export const isHungDue = (row: HeartbeatRow, look: Look): boolean =>
  isWell(row) && silenceMs(row, look) >= row.hungAfterMs

/**
 * Whether a session is to be called crashed; one whose limit passed before this process started is
 * given an interval, in which it may beat.
 */
export const isCrashDue = (row: HeartbeatRow, look: Look): boolean =>
  (isWell(row) || row.condition === 'hung') &&
  silenceMs(row, look) >= row.crashedAfterMs &&
  (row.lastAt + row.crashedAfterMs >= look.bootedAt || look.now - look.bootedAt >= row.hungAfterMs)

// The same as the functions above say.
const dueSql = `
  select s.id
  from datacat_heartbeats h
  join datacat_sessions s on s.key = h.session_key
  where (
      h.condition in ('ok', 'recovered')
      and greatest(h.last_at, :woke) + h.hung_after_ms <= :now
    )
    or (
      h.condition in ('ok', 'recovered', 'hung')
      and greatest(h.last_at, :woke) + h.crashed_after_ms <= :now
      and (h.last_at + h.crashed_after_ms >= :booted or :booted + h.hung_after_ms <= :now)
    )
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

  /** Ids of sessions that are due by `isHungDue` or `isCrashDue`; nothing is locked. */
  async due(db: Knex, { now, wokeAt, bootedAt }: Look): Promise<string[]> {
    const { rows } = await db.raw(dueSql, { now, woke: wokeAt, booted: bootedAt })
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
