import { notFound, type Knex } from '../../../core/index.ts'
import { eventStore, type EventRow } from '../store/events.ts'
import type { SessionFilter } from '../store/filters.ts'
import { heartbeatStore, type HeartbeatRow } from '../store/heartbeats.ts'
import { listStore } from '../store/list.ts'
import { pointStore, type MetricRow, type PointRow } from '../store/points.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import { stateStore, type StateRow } from '../store/states.ts'
import type { JsonObject } from '../wire/json.ts'
import { isSessionId, unknownSession } from '../wire/session-id.ts'
import { stateAt, stateText } from './state-text.ts'

/** A page of a list: by number, or everything opened before a key. */
export interface ListPage {
  readonly limit: number
  readonly offset: number
  readonly before?: number | undefined
}
/** A session and the time of its last beat, epoch milliseconds. */
export interface Listed {
  readonly session: SessionRow
  readonly lastBeat: number | null
}
/** A session with everything that is not a list of its own; `state` is JSON text. */
export interface Detailed {
  readonly session: SessionRow
  readonly state: string
  readonly heartbeat: HeartbeatRow | undefined
  readonly metrics: readonly MetricRow[]
}
/** A page of what was written to a session, in the order it came. */
export interface ItemPage {
  readonly from: number
  readonly limit: number
  readonly name?: string | undefined
  readonly level?: string | undefined
}

/** Reads sessions and what was written to them; an unknown id is a 404. */
export const createSessionReader = (db: Knex) => ({
  list: (filter: SessionFilter, page: ListPage) => list(db, filter, page),
  newest: (filter: SessionFilter, limit: number): Promise<SessionRow[]> =>
    listStore.page(db, filter, { limit }),
  detail: (id: string) => detail(db, id),
  events: async (id: string, page: ItemPage): Promise<EventRow[]> =>
    eventStore.page(db, (await find(db, id)).key, page),
  points: (id: string, name: string, page: ItemPage) => points(db, id, name, page),
  states: async (
    id: string,
    page: { readonly after: number; readonly limit: number }
  ): Promise<StateRow[]> => stateStore.history(db, (await find(db, id)).key, page),
  /** The state as it was at a time, epoch milliseconds. */
  stateAt: async (id: string, at: number): Promise<JsonObject> =>
    stateAt(db, (await find(db, id)).key, at)
})

export type SessionReader = ReturnType<typeof createSessionReader>

async function find(db: Knex, id: string): Promise<SessionRow> {
  const session = isSessionId(id) ? await sessionStore.find(db, id) : undefined
  if (!session) throw unknownSession(id)
  return session
}

async function list(
  db: Knex,
  filter: SessionFilter,
  page: ListPage
): Promise<{ sessions: Listed[]; total: number }> {
  const [sessions, total] = await Promise.all([
    listStore.page(db, filter, page),
    listStore.count(db, filter)
  ])
  const beats = await heartbeatStore.lastBeats(
    db,
    sessions.map(one => one.key)
  )
  return {
    sessions: sessions.map(session => ({ session, lastBeat: beats.get(session.key) ?? null })),
    total
  }
}

async function detail(db: Knex, id: string): Promise<Detailed> {
  const found = isSessionId(id)
    ? (await sessionStore.withStates(db, [id])).get(id.toLowerCase())
    : undefined
  if (!found) throw unknownSession(id)
  const [heartbeat, metrics] = await Promise.all([
    heartbeatStore.find(db, found.session.key),
    pointStore.metrics(db, found.session.key)
  ])
  return { session: found.session, state: stateText(found.base), heartbeat, metrics }
}

/**
 * Points of one metric in the order they came. Their `n` counts them; that of a metric with several
 * sets of tags or units counts all points of the session.
 */
async function points(
  db: Knex,
  id: string,
  name: string,
  { from, limit }: ItemPage
): Promise<PointRow[]> {
  const session = await find(db, id)
  const series = await pointStore.series(db, session.key, name)
  const [only] = series
  if (!only)
    throw notFound('metric', `'${name}' in session ${id}`, `GET /v1/datacat/sessions/${id}`)
  if (series.length === 1) return pointStore.next(db, new Map([[only.id, from]]), limit)
  const rows = await pointStore.between(db, series, from, session.points, limit)
  return rows.map(row => ({ ...row, n: row.ordinal }))
}
