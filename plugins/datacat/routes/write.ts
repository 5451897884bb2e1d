import { compile, reply, type RouteRequest } from '../../../core/index.ts'
import { parseBody, readBatch } from '../wire/batch.ts'
import { headerKey, readBeat, readOpening } from '../wire/opening.ts'
import { Batch, Done, Heartbeat, Open, Opened, SessionId, Stored } from '../wire/schemas.ts'
import { isSessionId, unknownSession } from '../wire/session-id.ts'
import type { AddRoute } from './add-route.ts'

const also = {
  400: 'a field is wrong: the answer names it and nothing was stored',
  404: 'no such session',
  413: 'over 1 MB',
  503: 'too much is waiting, or the database is away: send it again'
} as const
const done = { status: 'ok' } as const

const idOf = ({ params }: RouteRequest<{ id: string }>): string => {
  if (!isSessionId(params.id)) throw unknownSession(params.id)
  return params.id.toLowerCase()
}

const open: AddRoute = (app, datacat) => {
  const check = compile(Open)
  app.route({
    method: 'POST',
    path: '/sessions',
    auth: 'scope:datacat',
    summary: 'Open a session, with an id of your own or without',
    body: Open,
    rawBody: true,
    decoded: true,
    response: Opened,
    status: 201,
    also: { 200: 'a session with this id was there already', ...also },
    async handle({ body }) {
      const opening = readOpening(check(parseBody(body)), Date.now())
      const { id, created } = await datacat.open(opening)
      return reply(created ? 201 : 200, { session_id: id, created })
    }
  })
}

const batch: AddRoute = (app, datacat) =>
  app.route({
    method: 'POST',
    path: '/sessions/{id}/batch',
    auth: 'scope:datacat',
    summary: "Append states, events and metrics with the client's own times",
    description:
      'All of it is committed, or nothing. The same key for the same session is stored once, ' +
      'so a batch may be sent again after any failure.',
    params: SessionId,
    body: Batch,
    rawBody: true,
    decoded: true,
    response: Stored,
    also,
    async handle(request) {
      const { count, key, ...writes } = readBatch(request.body, Date.now())
      const outcome = await datacat.store({
        sessionId: idOf(request),
        key: key ?? headerKey(request.headers['idempotency-key']),
        ...writes
      })
      if (outcome === 'unknown') throw unknownSession(request.params.id)
      const duplicate = outcome === 'duplicate'
      return { ...done, accepted: duplicate ? 0 : count, duplicate }
    }
  })

const heartbeat: AddRoute = (app, datacat) => {
  const check = compile(Heartbeat)
  app.route({
    method: 'POST',
    path: '/sessions/{id}/heartbeat',
    auth: 'scope:datacat',
    summary: 'The application is alive',
    description:
      'The first beat starts the watch: without another one the session is hung, later crashed; ' +
      'the next beat recovers it. `suspended` announces a pause.',
    params: SessionId,
    body: Heartbeat,
    rawBody: true,
    decoded: true,
    response: Done,
    also,
    async handle(request) {
      const beat = readBeat(check(parseBody(request.body)))
      const outcome = await datacat.store({ sessionId: idOf(request), beat })
      if (outcome === 'unknown') throw unknownSession(request.params.id)
      return done
    }
  })
}

const end: AddRoute = (app, datacat) =>
  app.route({
    method: 'POST',
    path: '/sessions/{id}/end',
    auth: 'scope:datacat',
    summary: 'End a session; later writes are still accepted',
    params: SessionId,
    response: Done,
    also,
    async handle(request) {
      const outcome = await datacat.store({ sessionId: idOf(request), end: true })
      if (outcome === 'unknown') throw unknownSession(request.params.id)
      return done
    }
  })

const remove: AddRoute = (app, datacat) =>
  app.route({
    method: 'DELETE',
    path: '/sessions/{id}',
    auth: 'user',
    summary: 'Delete a session and everything in it',
    params: SessionId,
    response: Done,
    also: { 404: 'no such session' },
    async handle(request) {
      await datacat.remove(idOf(request))
      return done
    }
  })

/** Writes beyond the first version's: bodies are read as they are, since any key may be data. */
export const writeRoutes: readonly AddRoute[] = [open, batch, heartbeat, end, remove]
