import { invalid, Type } from '../../../core/index.ts'
import { detailOut, eventOut, pointOut, stateOut, summaryOf } from '../service/wire-out.ts'
import { readFilter } from '../wire/filter.ts'
import {
  After,
  closed,
  Detail,
  EventOut,
  levels,
  List,
  name,
  nextAfter,
  object,
  PointOut,
  SessionId,
  Sessions,
  StateOut
} from '../wire/schemas.ts'
import { iso, readTime } from '../wire/time.ts'
import type { AddRoute } from './add-route.ts'

const also = { 404: 'no such session' } as const
// Behind it, a page by number reads all that is before it.
const maxOffset = 10_000
/** Where the page after this one begins; null when this one was not full. */
const nextOf = (rows: readonly { readonly n: number }[], limit: number): number | null =>
  rows.length === limit ? (rows.at(-1)?.n ?? null) : null

const list: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/sessions',
    auth: 'user',
    summary: 'Sessions, newest first',
    query: List,
    response: Sessions,
    description:
      'current, ever, contains and ever_contains are `path=value` (keys joined by dots; text as ' +
      'it is, other values as JSON) and may be given several times; everything given must hold.',
    async handle({ query: { page, per_page, cursor, ...fields } }) {
      const offset = (page - 1) * per_page
      if (offset > maxOffset && cursor === undefined)
        throw invalid('/query/page', `is too far: use cursor after ${maxOffset} sessions`)
      const { sessions, total } = await datacat.sessions.list(readFilter(fields), {
        limit: per_page,
        offset,
        before: cursor === undefined ? undefined : Number(cursor)
      })
      const last = sessions.at(-1)
      return {
        sessions: sessions.map(({ session, lastBeat }) => summaryOf(session, lastBeat)),
        total_count: total,
        page,
        per_page,
        next_cursor: last && sessions.length === per_page ? String(last.session.key) : null
      }
    }
  })

const detail: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/sessions/{id}',
    auth: 'user',
    summary: 'One session, its state, its watch and its metrics',
    params: SessionId,
    response: Detail,
    also,
    handle: async ({ params: { id } }) => detailOut(await datacat.sessions.detail(id))
  })

const events: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/sessions/{id}/events',
    auth: 'user',
    summary: 'Events of a session in the order they came',
    params: SessionId,
    query: Type.Object(
      { ...After, name: Type.Optional(name), level: Type.Optional(Type.Enum([...levels])) },
      closed
    ),
    response: Type.Object({ events: Type.Array(EventOut), next_after: nextAfter }),
    also,
    async handle({ params: { id }, query: { after = -1, limit, name: wanted, level } }) {
      const page = { from: after + 1, limit, name: wanted, level }
      const rows = await datacat.sessions.events(id, page)
      return { events: rows.map(eventOut), next_after: nextOf(rows, limit) }
    }
  })

const points: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/sessions/{id}/points',
    auth: 'user',
    summary: 'Points of one metric of a session in the order they came',
    params: SessionId,
    query: Type.Object({ ...After, name }, closed),
    response: Type.Object({ points: Type.Array(PointOut), next_after: nextAfter }),
    also,
    async handle({ params: { id }, query: { after = -1, limit, name: wanted } }) {
      const rows = await datacat.sessions.points(id, wanted, { from: after + 1, limit })
      return {
        points: rows.map(row => ({ ...pointOut(row, wanted), n: row.n })),
        next_after: nextOf(rows, limit)
      }
    }
  })

const states: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/sessions/{id}/states',
    auth: 'user',
    summary: 'Every state update of a session in the order they came',
    params: SessionId,
    query: Type.Object(After, closed),
    response: Type.Object({ states: Type.Array(StateOut), next_after: nextAfter }),
    also,
    async handle({ params: { id }, query: { after = 0, limit } }) {
      const rows = await datacat.sessions.states(id, { after, limit })
      return { states: rows.map(stateOut), next_after: nextOf(rows, limit) }
    }
  })

const state: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/sessions/{id}/state',
    auth: 'user',
    summary: 'The state of a session as it was at a time',
    params: SessionId,
    query: Type.Object({ at: Type.Optional(Type.String({ maxLength: 40 })) }, closed),
    response: Type.Object({ at: Type.String(), state: object }),
    also,
    async handle({ params: { id }, query }) {
      const at = query.at === undefined ? Date.now() : readTime(query.at, '/query/at')
      return { at: iso(at), state: { ...(await datacat.sessions.stateAt(id, at)) } }
    }
  })

/** What pages and programs read of sessions. */
export const sessionRoutes: readonly AddRoute[] = [list, detail, events, points, states, state]
