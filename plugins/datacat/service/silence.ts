import type { Knex } from '../../../core/index.ts'
import { SessionCrashed, SessionHung } from '../contract.ts'
import {
  heartbeatStore,
  isCrashDue,
  isHungDue,
  type HeartbeatRow,
  type Look
} from '../store/heartbeats.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import { about, turn, watchEvent, type OpenedSession, type WatchParts } from './watched.ts'

/** A locked session and its watch. */
interface Watched {
  readonly session: SessionRow
  readonly row: HeartbeatRow
}

/** Judges every session whose limit has passed; answers how many. */
export async function sweep(parts: WatchParts, look: Look): Promise<number> {
  const ids = await heartbeatStore.due(parts.db, look)
  if (ids.length === 0) return 0
  return parts.db.transaction(async trx => {
    const watched = await lock(trx, ids)
    const late = watched.filter(({ row }) => isHungDue(row, look) || isCrashDue(row, look))
    for (const one of late) await judge(trx, parts, one, look)
    return late.length
  })
}

async function lock(trx: Knex.Transaction, ids: readonly string[]): Promise<Watched[]> {
  const sessions = [...(await sessionStore.lock(trx, ids)).values()]
  const rows = await heartbeatStore.lock(
    trx,
    sessions.map(session => session.key)
  )
  return sessions.flatMap(session => {
    const row = rows.get(session.key)
    return row ? [{ session, row }] : []
  })
}

async function judge(
  trx: Knex.Transaction,
  parts: WatchParts,
  watched: Watched,
  look: Look
): Promise<void> {
  const { row } = watched
  if (isHungDue(row, look)) await hang(trx, parts, watched, look.now)
  if (isCrashDue(row, look))
    await crash(trx, parts, watched, `no heartbeat for ${row.crashedAfterMs / 1000} s`, look.now)
}

async function hang(
  trx: Knex.Transaction,
  parts: WatchParts,
  { session, row }: Watched,
  now: number
): Promise<void> {
  const seconds = Math.floor((now - row.lastAt) / 1000)
  const timeoutSeconds = row.hungAfterMs / 1000
  const told = watchEvent('application_appears_hung', 'error', {
    seconds_since_heartbeat: seconds,
    timeout: timeoutSeconds
  })
  await turn(trx, parts, { session, row, told }, 'hung', now)
  await parts.emit(trx, SessionHung, {
    ...about(session, now),
    seconds_since_heartbeat: seconds,
    timeout_seconds: timeoutSeconds,
    found_at_start: row.lastAt + row.hungAfterMs < parts.bootedAt
  })
  parts.log.warn({ session: session.id, seconds }, 'a session appears hung')
}

async function crash(
  trx: Knex.Transaction,
  parts: WatchParts,
  { session, row }: Watched,
  reason: string,
  now: number
): Promise<void> {
  const seconds = Math.floor((now - row.lastAt) / 1000)
  const told = watchEvent('session_crashed_detected', 'critical', {
    reason,
    seconds_since_heartbeat: seconds
  })
  await turn(trx, parts, { session, row, told }, 'crashed', now)
  await parts.emit(trx, SessionCrashed, {
    ...about(session, now),
    seconds_since_heartbeat: seconds,
    reason,
    found_at_start: row.lastAt + row.crashedAfterMs < parts.bootedAt
  })
  parts.log.warn({ session: session.id, reason }, 'a session has crashed')
}

/** A machine that begins anew has not come back from its pause. */
export async function crashSuspended(
  trx: Knex.Transaction,
  parts: WatchParts,
  opened: readonly OpenedSession[],
  now: number
): Promise<void> {
  for (const { id, machineId, product } of opened) {
    if (machineId === null) continue
    const ids = await sessionStore.suspendedOn(trx, { machineId, product, except: id })
    const suspended = (await lock(trx, ids)).filter(({ row }) => row.condition === 'suspended')
    for (const one of suspended)
      await crash(trx, parts, one, 'its machine started a new session', now)
  }
}
