import type { EventType, Knex, Logger, Static, TSchema } from '../../../core/index.ts'
import type { AppendStore } from '../store/append.ts'
import type { NewEvent } from '../store/append-rows.ts'
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
/** When a session that does not say itself is hung and has crashed. */
export interface Limits {
  readonly hungAfterSeconds: number
  readonly crashedAfterSeconds: number
}
/** What the watch is made with; `bootedAt` is epoch milliseconds. */
export interface WatchParts {
  readonly db: Knex
  readonly emit: Emit
  readonly append: AppendStore
  readonly limits: Limits
  readonly log: Logger
  readonly bootedAt: number
}

/** What a new session says of its machine. */
export interface OpenedSession {
  readonly id: string
  readonly machineId: string | null
  readonly product: string | null
}

/** What every event of the contract says of a session. */
export const about = (session: SessionRow, at: number) => ({
  session_id: session.id,
  at,
  product: session.product,
  version: session.version,
  machine_id: session.machineId,
  hostname: session.hostname
})

/** An event the watch writes into a session. */
export const watchEvent = (name: string, level: string, data: JsonObject): NewEvent => ({
  name,
  level,
  at: null,
  data: stringify(data),
  extra: null
})

/** Turns a locked session to another condition and writes the event that tells of it. */
export async function turn(
  trx: Knex.Transaction,
  { append }: Pick<WatchParts, 'append'>,
  { session, row, told }: { session: SessionRow; row: HeartbeatRow; told: NewEvent },
  condition: Condition,
  now: number
): Promise<void> {
  await heartbeatStore.save(trx, { ...row, condition })
  await sessionStore.setCondition(trx, session.key, condition)
  const events = [{ sessionId: session.id, points: [], events: [told] }]
  await append.write(trx, events, new Map(), now)
}
