import type { EventType, Knex, Logger, TSchema, Static } from '../../../core/index.ts'
import { SessionCrashed, SessionHung, SessionRecovered } from '../contract.ts'
import type { Append, AppendStore, NewEvent } from '../store/append.ts'
import { heartbeatStore, type HeartbeatRow } from '../store/heartbeats.ts'
import { sessionStore, type Condition, type SessionRow } from '../store/sessions.ts'
import { stringify, type JsonObject } from '../wire/json.ts'

export type Emit = <S extends TSchema>(
  trx: Knex.Transaction,
  event: EventType<S>,
  ...payloads: Static<S>[]
) => Promise<void>
/** What a beat may say besides that it beats; limits are seconds and stay until they are changed. */
export interface Beat {
  readonly hungAfterSeconds?: number | undefined
  readonly crashedAfterSeconds?: number | undefined
  readonly suspended?: boolean | undefined
}
export interface Limits {
  readonly hungAfterSeconds: number
  readonly crashedAfterSeconds: number
}

const event = (name: string, level: string, data: JsonObject): NewEvent => ({
  name,
  level,
  at: null,
  data: stringify(data),
  extra: null
})
/** What every event of the contract says of a session. */
export const about = (session: SessionRow, at: number) => ({
  session_id: session.id,
  at,
  product: session.product,
  version: session.version,
  machine_id: session.machineId,
  hostname: session.hostname
})

/** Watches over sessions that beat: hung, crashed, suspended, recovered, each with its event in the same transaction. */
export function createWatch({
  db,
  emit,
  store,
  limits,
  log
}: {
  db: Knex
  emit: Emit
  store: AppendStore
  limits: Limits
  log: Logger
}) {
  const bootedAt = Date.now()

  async function turn(
    trx: Knex.Transaction,
    session: SessionRow,
    row: HeartbeatRow,
    condition: Condition,
    told: NewEvent,
    now: number
  ): Promise<void> {
    await heartbeatStore.save(trx, { ...row, condition })
    await sessionStore.setCondition(trx, session.key, condition)
    const append: Append = { sessionId: session.id, points: [], events: [told] }
    await store.append(trx, [append], now)
  }

  /** Notes a beat of a locked session and answers the condition it is in after it. */
  async function beat(
    trx: Knex.Transaction,
    session: SessionRow,
    { hungAfterSeconds, crashedAfterSeconds, suspended }: Beat,
    now: number
  ): Promise<Condition> {
    if (!session.active) return session.condition
    const old = (await heartbeatStore.lock(trx, [session.key])).get(session.key)
    const hungAfterMs =
      hungAfterSeconds === undefined
        ? (old?.hungAfterMs ?? limits.hungAfterSeconds * 1000)
        : hungAfterSeconds * 1000
    const crashedAfterMs = Math.max(
      hungAfterMs,
      crashedAfterSeconds === undefined
        ? (old?.crashedAfterMs ?? limits.crashedAfterSeconds * 1000)
        : crashedAfterSeconds * 1000
    )
    const was = session.condition
    const row: HeartbeatRow = {
      session: session.key,
      lastAt: Math.max(now, old?.lastAt ?? 0),
      hungAfterMs,
      crashedAfterMs,
      condition: was
    }
    const isBack = was === 'hung' || was === 'crashed'
    if (isBack) {
      await turn(trx, session, row, 'recovered', event('application_recovered', 'info', {}), now)
      await emit(trx, SessionRecovered, { ...about(session, now), was })
    }
    const before: Condition = isBack ? 'recovered' : was
    const after: Condition = suspended ? 'suspended' : before === 'suspended' ? 'ok' : before
    if (after === before && !isBack) await heartbeatStore.save(trx, row)
    if (after !== before)
      await turn(
        trx,
        session,
        row,
        after,
        event(suspended ? 'session_suspended' : 'session_resumed', 'info', {}),
        now
      )
    return after
  }

  async function silent(
    trx: Knex.Transaction,
    session: SessionRow,
    row: HeartbeatRow,
    now: number
  ): Promise<void> {
    const silence = now - row.lastAt
    const seconds = Math.floor(silence / 1000)
    const isHung = row.condition === 'hung'
    if (!isHung && silence >= row.hungAfterMs) {
      await turn(
        trx,
        session,
        row,
        'hung',
        event('application_appears_hung', 'error', {
          seconds_since_heartbeat: seconds,
          timeout: row.hungAfterMs / 1000
        }),
        now
      )
      await emit(trx, SessionHung, {
        ...about(session, now),
        seconds_since_heartbeat: seconds,
        timeout_seconds: row.hungAfterMs / 1000,
        found_at_start: row.lastAt + row.hungAfterMs < bootedAt
      })
      log.warn({ session: session.id, seconds }, 'a session appears hung')
    }
    if (silence >= row.crashedAfterMs)
      await crash(trx, session, row, `no heartbeat for ${row.crashedAfterMs / 1000} s`, now)
  }

  async function crash(
    trx: Knex.Transaction,
    session: SessionRow,
    row: HeartbeatRow,
    reason: string,
    now: number
  ): Promise<void> {
    const seconds = Math.floor((now - row.lastAt) / 1000)
    await turn(
      trx,
      session,
      row,
      'crashed',
      event('session_crashed_detected', 'critical', { reason, seconds_since_heartbeat: seconds }),
      now
    )
    await emit(trx, SessionCrashed, {
      ...about(session, now),
      seconds_since_heartbeat: seconds,
      reason,
      found_at_start: row.lastAt + row.crashedAfterMs < bootedAt
    })
    log.warn({ session: session.id, reason }, 'a session has crashed')
  }

  const isDue = (row: HeartbeatRow, now: number): boolean =>
    ((row.condition === 'ok' || row.condition === 'recovered') &&
      row.lastAt + row.hungAfterMs <= now) ||
    (['ok', 'recovered', 'hung'].includes(row.condition) && row.lastAt + row.crashedAfterMs <= now)

  /** Judges every session whose limit has passed; several processes may sweep at once. */
  async function sweep(now = Date.now()): Promise<number> {
    const ids = await heartbeatStore.due(db, now)
    if (ids.length === 0) return 0
    return db.transaction(async trx => {
      const sessions = await sessionStore.lock(trx, ids)
      const rows = await heartbeatStore.lock(
        trx,
        [...sessions.values()].map(session => session.key)
      )
      const late = [...sessions.values()].flatMap(session => {
        const row = rows.get(session.key)
        return row && isDue(row, now) ? [{ session, row }] : []
      })
      for (const { session, row } of late) await silent(trx, session, row, now)
      return late.length
    })
  }

  /** A machine that begins anew has not come back from its pause. */
  async function crashSuspended(
    trx: Knex.Transaction,
    opened: readonly {
      readonly id: string
      readonly machineId: string | null
      readonly product: string | null
    }[],
    now: number
  ): Promise<void> {
    for (const { id, machineId, product } of opened) {
      if (machineId === null) continue
      const ids = (await trx('datacat_sessions')
        .where({ machine_id: machineId, condition: 'suspended', active: true })
        .whereRaw('product is not distinct from ?', [product])
        .whereNot({ id })
        .pluck('id')) as string[]
      if (ids.length === 0) continue
      const sessions = await sessionStore.lock(trx, ids)
      const rows = await heartbeatStore.lock(
        trx,
        [...sessions.values()].map(session => session.key)
      )
      for (const session of sessions.values()) {
        const row = rows.get(session.key)
        if (row?.condition === 'suspended')
          await crash(trx, session, row, 'its machine started a new session', now)
      }
    }
  }

  return { beat, sweep, crashSuspended }
}
export type Watch = ReturnType<typeof createWatch>
