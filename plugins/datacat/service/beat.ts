import type { Knex } from '../../../core/index.ts'
import { SessionRecovered } from '../contract.ts'
import { heartbeatStore, type HeartbeatRow } from '../store/heartbeats.ts'
import type { Condition, SessionRow } from '../store/sessions.ts'
import { about, turn, watchEvent, type Beat, type Limits, type WatchParts } from './watched.ts'

/** Notes a beat of a locked session and answers the condition it is in after it. */
export async function beat(
  trx: Knex.Transaction,
  parts: WatchParts,
  session: SessionRow,
  said: Beat,
  now: number
): Promise<Condition> {
  if (!session.active) return session.condition
  const old = (await heartbeatStore.lock(trx, [session.key])).get(session.key)
  const row = beaten(session, old, limitsMs(said, old, parts.limits), now)
  const before = await recover(trx, parts, session, row, now)
  const after: Condition = said.suspended ? 'suspended' : before === 'suspended' ? 'ok' : before
  const told = watchEvent(said.suspended ? 'session_suspended' : 'session_resumed', 'info', {})
  if (after !== before) await turn(trx, parts, { session, row, told }, after, now)
  else if (before === session.condition) await heartbeatStore.save(trx, row)
  return after
}

const beaten = (
  session: SessionRow,
  old: HeartbeatRow | undefined,
  limits: Pick<HeartbeatRow, 'hungAfterMs' | 'crashedAfterMs'>,
  now: number
): HeartbeatRow => ({
  session: session.key,
  lastAt: old === undefined ? now : Math.max(now, old.lastAt),
  ...limits,
  condition: session.condition
})

/** What the beat says itself, else what an earlier one said, else what everybody has. */
function limitsMs(
  { hungAfterSeconds, crashedAfterSeconds }: Beat,
  old: HeartbeatRow | undefined,
  usual: Limits
): Pick<HeartbeatRow, 'hungAfterMs' | 'crashedAfterMs'> {
  const hungAfterMs =
    hungAfterSeconds === undefined
      ? (old?.hungAfterMs ?? usual.hungAfterSeconds * 1000)
      : hungAfterSeconds * 1000
  const crashedAfterMs =
    crashedAfterSeconds === undefined
      ? (old?.crashedAfterMs ?? usual.crashedAfterSeconds * 1000)
      : crashedAfterSeconds * 1000
  return { hungAfterMs, crashedAfterMs: Math.max(hungAfterMs, crashedAfterMs) }
}

/** A session that was hung or had crashed is back; answers its condition then. */
async function recover(
  trx: Knex.Transaction,
  parts: WatchParts,
  session: SessionRow,
  row: HeartbeatRow,
  now: number
): Promise<Condition> {
  const was = session.condition
  if (was !== 'hung' && was !== 'crashed') return was
  const told = watchEvent('application_recovered', 'info', {})
  await turn(trx, parts, { session, row, told }, 'recovered', now)
  await parts.emit(trx, SessionRecovered, { ...about(session, now), was })
  return 'recovered'
}
