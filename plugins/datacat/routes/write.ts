import { invalid, compile, reply, type PluginApp, type RouteRequest } from '../../../core/index.ts'
import { unknownSession, type Datacats } from '../service.ts'
import { parseBody, readBatch } from '../wire/batch.ts'
import { checkJson, type JsonObject } from '../wire/json.ts'
import { isSessionId } from '../wire/session-id.ts'
import { readClientTime } from '../wire/time.ts'
import { Batch, Done, Heartbeat, Open, Opened, SessionId, Stored } from '../wire/schemas.ts'

const also = {
  400: 'a field is wrong: the answer names it and nothing was stored',
  404: 'no such session',
  413: 'over 1 MB',
  503: 'too much is waiting, or the database is away: send it again'
} as const
const idOf = ({ params }: RouteRequest<{ id: string }>): string => {
  if (!isSessionId(params.id)) throw unknownSession(params.id)
  return params.id.toLowerCase()
}

/** Writes beyond the first version's: bodies are read as they are, since any key may be data. */
export function writeRoutes(app: PluginApp<unknown>, datacat: Datacats): void {
  const checkOpen = compile(Open)
  const checkBeat = compile(Heartbeat)

  app.route({
    method: 'POST',
    path: '/sessions',
    auth: 'ingest',
    summary: 'Open a session, with an id of your own or without',
    body: Open,
    rawBody: true,
    response: Opened,
    status: 201,
    also: { 200: 'a session with this id was there already', ...also },
    async handle({ body }) {
      const {
        id,
        product,
        version,
        machine_id: machineId,
        hostname,
        started_at,
        state,
        heartbeat
      } = checkOpen(parseBody(body as unknown as Uint8Array))
      if (state) checkJson(state as JsonObject, '/body/state')
      const startedAt = readClientTime(started_at, '/body/started_at', Date.now())
      const opened = await datacat.open({
        ...defined({
          id,
          product,
          version,
          machineId,
          hostname,
          startedAt: startedAt ?? undefined,
          state
        }),
        ...(heartbeat === undefined
          ? {}
          : {
              heartbeat: defined({
                hungAfterSeconds: heartbeat.hung_after_seconds,
                crashedAfterSeconds: heartbeat.crashed_after_seconds
              })
            })
      })
      return reply(opened.created ? 201 : 200, { session_id: opened.id, created: opened.created })
    }
  })
  app.route({
    method: 'POST',
    path: '/sessions/{id}/batch',
    auth: 'ingest',
    summary: "Append states, events and metrics with the client's own times",
    description:
      'All of it is committed, or nothing. The same key for the same session is stored once, so a batch may be sent again after any failure.',
    params: SessionId,
    body: Batch,
    rawBody: true,
    response: Stored,
    also,
    async handle(request) {
      const { count, key, ...batch } = readBatch(request.body as unknown as Uint8Array, Date.now())
      const outcome = await datacat.store({
        sessionId: idOf(request),
        key: key ?? headerKey(request.headers['idempotency-key']),
        ...batch
      })
      if (outcome === 'unknown') throw unknownSession(request.params.id)
      return {
        status: 'ok',
        accepted: outcome === 'duplicate' ? 0 : count,
        duplicate: outcome === 'duplicate'
      }
    }
  })
  app.route({
    method: 'POST',
    path: '/sessions/{id}/heartbeat',
    auth: 'ingest',
    summary: 'The application is alive',
    description:
      'The first beat starts the watch: without another one the session is hung, later crashed; the next beat recovers it. `suspended` announces a pause.',
    params: SessionId,
    body: Heartbeat,
    rawBody: true,
    response: Done,
    also,
    async handle(request) {
      const {
        hung_after_seconds: hungAfterSeconds,
        crashed_after_seconds: crashedAfterSeconds,
        suspended
      } = checkBeat(parseBody(request.body as unknown as Uint8Array))
      if (
        hungAfterSeconds !== undefined &&
        crashedAfterSeconds !== undefined &&
        crashedAfterSeconds < hungAfterSeconds
      )
        throw invalid('/body/crashed_after_seconds', 'must not be less than hung_after_seconds')
      if (
        (await datacat.store({
          sessionId: idOf(request),
          beat: { hungAfterSeconds, crashedAfterSeconds, suspended }
        })) === 'unknown'
      )
        throw unknownSession(request.params.id)
      return { status: 'ok' }
    }
  })
  app.route({
    method: 'POST',
    path: '/sessions/{id}/end',
    auth: 'ingest',
    summary: 'End a session; later writes are still accepted',
    params: SessionId,
    response: Done,
    also,
    async handle(request) {
      if ((await datacat.store({ sessionId: idOf(request), end: true })) === 'unknown')
        throw unknownSession(request.params.id)
      return { status: 'ok' }
    }
  })
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
      return { status: 'ok' }
    }
  })
}

function headerKey(value: string | string[] | undefined): string | null {
  if (value === undefined) return null
  if (typeof value !== 'string' || value.length === 0 || value.length > 128)
    throw invalid('/header/idempotency-key', 'must have 1 to 128 characters')
  return value
}

/** Without the fields that are undefined. */
const defined = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
