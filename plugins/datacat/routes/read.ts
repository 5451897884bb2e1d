import { notFound, Type, type Knex, type PluginApp, type Static } from '../../../core/index.ts'
import { unknownSession } from '../service.ts'
import { readFilter } from '../wire/filter.ts'
import { eventOut, pointOut, stateOut, summaryOf } from '../service/wire-out.ts'
import { stateAt } from '../service/merge-states.ts'
import { eventStore } from '../store/events.ts'
import { heartbeatStore } from '../store/heartbeats.ts'
import { listStore } from '../store/list.ts'
import { pointStore, type SeriesRow } from '../store/points.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import { stateStore } from '../store/states.ts'
import { isSessionId } from '../wire/session-id.ts'
import { iso, readTime } from '../wire/time.ts'
import {
  After,
  closed,
  Detail,
  EventOut,
  levels,
  List,
  name,
  nextAfter,
  nullable,
  object,
  PointOut,
  type SeriesSummary,
  SessionId,
  Sessions,
  StateOut
} from '../wire/schemas.ts'

const also = { 404: 'no such session' } as const

/** What pages and programs read. */
export function readRoutes(app: PluginApp<unknown>, db: Knex): void {
  listRoutes(app, db)
  sessionRoutes(app, db)
  catalogueRoutes(app, db)
}

async function find(db: Knex, id: string): Promise<SessionRow> {
  const session = isSessionId(id) ? await sessionStore.find(db, id) : undefined
  if (!session) throw unknownSession(id)
  return session
}

function listRoutes(app: PluginApp<unknown>, db: Knex): void {
  app.route({
    method: 'GET',
    path: '/sessions',
    auth: 'user',
    summary: 'Sessions, newest first',
    query: List,
    response: Sessions,
    description:
      'current, ever, contains and ever_contains are `path=value` (keys joined by dots; text as it is, other values as JSON) and may be given several times; everything given must hold.',
    async handle({ query: { page, per_page, cursor, ...fields } }) {
      const filter = readFilter(fields)
      const [sessions, total] = await Promise.all([
        listStore.page(db, filter, {
          limit: per_page,
          offset: (page - 1) * per_page,
          before: cursor === undefined ? undefined : Number(cursor)
        }),
        listStore.count(db, filter)
      ])
      const beats = await heartbeatStore.lastBeats(
        db,
        sessions.map(one => one.key)
      )
      return {
        sessions: sessions.map(one => summaryOf(one, beats.get(one.key) ?? null)),
        total_count: total,
        page,
        per_page,
        next_cursor: sessions.length === per_page ? String(sessions.at(-1)?.key) : null
      }
    }
  })
  app.route({
    method: 'GET',
    path: '/sessions/{id}',
    auth: 'user',
    summary: 'One session, its state, its watch and its metrics',
    params: SessionId,
    response: Detail,
    also,
    async handle({ params: { id } }) {
      const found = isSessionId(id)
        ? (await sessionStore.withStates(db, [id])).get(id.toLowerCase())
        : undefined
      if (!found) throw unknownSession(id)
      const { session, state } = found
      const [beat, series] = await Promise.all([
        heartbeatStore.find(db, session.key),
        pointStore.series(db, session.key)
      ])
      return {
        ...summaryOf(session, beat?.lastAt ?? null),
        state: JSON.parse(state) as Record<string, unknown>,
        metrics: series.map(seriesOut),
        heartbeat: beat
          ? {
              hung_after_seconds: beat.hungAfterMs / 1000,
              crashed_after_seconds: beat.crashedAfterMs / 1000
            }
          : null
      }
    }
  })
}

const seriesOut = (one: SeriesRow): Static<typeof SeriesSummary> => ({
  name: one.name,
  type: one.kind,
  unit: one.unit,
  points: one.points,
  minimum: one.minimum,
  maximum: one.maximum,
  mean: one.total / one.points,
  last: one.last,
  first_at: iso(one.firstAt),
  last_at: iso(one.lastAt)
})

function sessionRoutes(app: PluginApp<unknown>, db: Knex): void {
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
      const rows = await eventStore.page(db, (await find(db, id)).key, {
        from: after + 1,
        limit,
        name: wanted,
        level
      })
      return {
        events: rows.map(eventOut),
        next_after: rows.length === limit ? rows.at(-1)!.n : null
      }
    }
  })
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
      const session = await find(db, id)
      const series = (await pointStore.series(db, session.key)).find(one => one.name === wanted)
      if (!series)
        throw notFound('metric', `'${wanted}' in session ${id}`, `GET /v1/datacat/sessions/${id}`)
      const rows = await pointStore.next(db, new Map([[series.id, after + 1]]), limit)
      return {
        points: rows.map(row => ({ ...pointOut(row, series.name), n: row.n })),
        next_after: rows.length === limit ? rows.at(-1)!.n : null
      }
    }
  })
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
      const rows = await stateStore.history(db, (await find(db, id)).key, { after, limit })
      return {
        states: rows.map(stateOut),
        next_after: rows.length === limit ? rows.at(-1)!.n : null
      }
    }
  })
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
      return {
        at: iso(at),
        state: (await stateAt(db, (await find(db, id)).key, at)) as Record<string, unknown>
      }
    }
  })
}

function catalogueRoutes(app: PluginApp<unknown>, db: Knex): void {
  app.route({
    method: 'GET',
    path: '/metrics',
    auth: 'user',
    summary: 'Metric names over all sessions',
    response: Type.Object({
      metrics: Type.Array(
        Type.Object({
          name: Type.String(),
          type: Type.String(),
          unit: nullable(Type.String()),
          sessions: Type.Integer(),
          points: Type.Integer()
        })
      )
    }),
    handle: async () => ({ metrics: await listStore.metrics(db) })
  })
  app.route({
    method: 'GET',
    path: '/products',
    auth: 'user',
    summary:
      'Products, their versions and how their sessions fare; `hung` counts those that ever were',
    response: Type.Object({
      products: Type.Array(
        Type.Object({
          product: Type.String(),
          versions: Type.Array(Type.String()),
          sessions: Type.Integer(),
          active: Type.Integer(),
          hung: Type.Integer(),
          crashed: Type.Integer()
        })
      )
    }),
    handle: async () => ({ products: await listStore.products(db) })
  })
  app.route({
    method: 'GET',
    path: '/machines',
    auth: 'user',
    summary: 'Machines and the sessions they had',
    response: Type.Object({
      machines: Type.Array(
        Type.Object({
          machine_id: Type.String(),
          hostname: nullable(Type.String()),
          sessions: Type.Integer(),
          active: Type.Integer(),
          last_seen_at: Type.String()
        })
      )
    }),
    handle: async () => ({
      machines: (await listStore.machines(db)).map(one => ({
        ...one,
        last_seen_at: iso(one.last_seen_at)
      }))
    })
  })
  app.route({
    method: 'GET',
    path: '/stats',
    auth: 'user',
    summary: 'Totals over all sessions',
    response: Type.Object(
      Object.fromEntries(
        [
          'sessions',
          'active',
          'ended',
          'hung',
          'crashed',
          'suspended',
          'events',
          'metrics',
          'states'
        ].map(key => [key, Type.Integer()])
      )
    ),
    handle: () => listStore.totals(db)
  })
}
