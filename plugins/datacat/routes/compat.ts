import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  RayneError,
  readBytes,
  Type,
  type ErrorKind,
  type Logger,
  type PluginApp
} from '../../../core/index.ts'
import { datacatErrors } from '../contract.ts'
import type { Datacats } from '../service.ts'
import { stringify } from '../wire/json.ts'
import { isSessionId } from '../wire/session-id.ts'
import { InvalidBody, parseEvent, parseMetric, parseState } from '../wire/parse.ts'
import { Done } from '../wire/schemas.ts'

type Handler = Parameters<PluginApp<unknown>['raw']>[3]
export type Context = Parameters<Handler>[0]

const bodyLimit = 1_048_576
// The first version compares ids letter by letter.
const isKnowable = (id: string): boolean => isSessionId(id) && id === id.toLowerCase()
const ok = '{"status":"ok"}\n'

const Data = Type.Record(Type.String(), Type.Unknown())
const OldEvent = Type.Object({ name: Type.String(), data: Type.Union([Data, Type.Null()]) })
const OldMetric = Type.Object({
  name: Type.String(),
  value: Type.Number(),
  tags: Type.Optional(Type.Array(Type.String()))
})
const Created = Type.Object({ session_id: Type.String() })
const OldSession = Type.Object({
  id: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
  ended_at: Type.Optional(Type.String()),
  active: Type.Boolean(),
  state: Data,
  events: Type.Array(Type.Object({ timestamp: Type.String(), ...OldEvent.properties })),
  metrics: Type.Array(Type.Object({ timestamp: Type.String(), ...OldMetric.properties }))
})
const Cut = Type.Object({
  since: Type.Optional(
    Type.String({ description: 'written to at or after: RFC 3339 or epoch milliseconds' })
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1 }))
})
const verbs = [
  ['state', 'Merge a patch into the state', Data],
  ['events', 'Log an event', OldEvent],
  ['metrics', 'Log a metric', OldMetric],
  ['end', 'End a session', undefined]
] as const

/** An answer of the first version: its status and its exact words. */
class Refusal extends Error {
  readonly status: number
  /** Where it is one of a session: the problem it is told as. */
  readonly kind: ErrorKind<number> | undefined
  constructor(status: number, text: string, kind?: ErrorKind<number>) {
    super(text)
    this.status = status
    this.kind = kind
  }
}

/** The wire contract of the first version, at its paths and, for clients that cannot send a header, behind `/k/{key}`. */
export function compatRoutes(app: PluginApp<unknown>, datacat: Datacats, log: Logger): void {
  // The router takes a trailing slash for none; the first version did so for one path only.
  const exact =
    (run: (ctx: Context, path: string) => Promise<string | Readable>) =>
    async (ctx: Context, path: string): Promise<string | Readable> => {
      if (path.endsWith('/')) throw otherwise(ctx, path)
      return run(ctx, path)
    }
  const answer =
    (run: (ctx: Context, path: string) => Promise<string | Buffer | Readable>): Handler =>
    async ctx => {
      try {
        const body = await run(ctx, ctx.path.replace(/^\/k\/[^/]+/, ''))
        ctx.status = 200
        ctx.set('content-type', 'application/json')
        ctx.body = body
      } catch (error) {
        refuse(ctx, error)
      }
    }
  const write = answer(
    exact(async (ctx, path) => {
      const [, , , id = '', verb = ''] = path.split('/')
      return post(datacat, ctx, id, verb)
    })
  )
  const read = answer(async (ctx, path) => {
    if (ctx.method !== 'GET') throw new Refusal(404, 'Not found')
    return one(datacat, path.split('/')[3] ?? '')
  })
  const create = answer(
    exact(async () => `{"session_id":"${(await datacat.open({ id: randomUUID() })).id}"}\n`)
  )
  const all = answer(
    exact(async ctx => {
      if (ctx.method !== 'GET') throw new Refusal(405, 'Method not allowed')
      return Readable.from(allSessions(datacat, ctx, log))
    })
  )
  const other = answer(async (ctx, path) => {
    throw otherwise(ctx, path)
  })

  for (const base of ['', '/k/{key}']) {
    const how = base === '' ? '' : ', with the token in the path'
    app.raw(
      'POST',
      `${base}/api/sessions`,
      { summary: `Open a session${how}`, auth: 'ingest', about: { response: Created } },
      create
    )
    app.raw(
      'GET',
      `${base}/api/sessions/{id}`,
      {
        summary: `A session with all its events and metrics${how}`,
        auth: 'user',
        about: { response: OldSession }
      },
      read
    )
    for (const [verb, summary, body] of verbs)
      app.raw(
        'POST',
        `${base}/api/sessions/{id}/${verb}`,
        {
          summary: `${summary}${how}`,
          auth: 'ingest',
          about: { response: Done, ...(body ? { body } : {}) }
        },
        write
      )
    app.raw(
      'GET',
      `${base}/api/grafana/sessions`,
      {
        summary: `All sessions with everything in them, streamed${how}`,
        auth: 'user',
        about: { query: Cut, response: Type.Array(OldSession) }
      },
      all
    )
    app.raw(
      '*',
      `${base}/api/*rest`,
      { summary: "The first version's answers to anything else", auth: 'public' },
      other
    )
  }
}

async function post(datacat: Datacats, ctx: Context, id: string, verb: string): Promise<string> {
  const bytes = verb === 'end' ? undefined : await readBytes(ctx.req, bodyLimit)
  const writes =
    bytes === undefined ? { end: true } : { ...parsed(verb, bytes), bytes: bytes.length }
  if (!isKnowable(id) || (await datacat.store({ sessionId: id, ...writes })) === 'unknown')
    throw new Refusal(404, 'session not found', datacatErrors['session-not-found'])
  return ok
}

function parsed(verb: string, bytes: Uint8Array) {
  if (verb === 'state') return { states: [{ patch: parseState(bytes), at: null }] }
  if (verb === 'events') {
    const { name, data } = parseEvent(bytes)
    return {
      events: [
        {
          name: checkName(name),
          level: null,
          at: null,
          data: data === null ? 'null' : stringify(data),
          extra: null
        }
      ]
    }
  }
  const { name, value, tags } = parseMetric(bytes)
  return {
    points: [
      {
        name: checkName(name),
        value,
        at: null,
        tags: tags.length === 0 ? null : JSON.stringify(tags),
        kind: 'gauge',
        unit: null,
        extra: null
      }
    ]
  }
}

/** Names are limited to 256 characters, and PostgreSQL's text holds no NUL. */
function checkName(name: string): string {
  if (name.length > 256 || name.includes('\u0000'))
    throw new Refusal(
      400,
      `Invalid request body: /body/name ${name.length > 256 ? 'is longer than 256 characters' : 'holds a NUL character'}`
    )
  return name
}

async function one(datacat: Datacats, id: string): Promise<Buffer | Readable> {
  const found = isKnowable(id) ? await datacat.render(id) : undefined
  if (!found) throw new Refusal(404, 'Session not found', datacatErrors['session-not-found'])
  return Buffer.isBuffer(found) ? found : Readable.from(found)
}

function allSessions(datacat: Datacats, ctx: Context, log: Logger): AsyncGenerator<string> {
  const text = (name: string): string | undefined => {
    const value = ctx.query[name]
    return Array.isArray(value) ? value[0] : value
  }
  return cutOff(datacat.exportArray({ since: text('since'), limit: text('limit') }), log)
}

/** An error after the first byte can only cut the answer off, so that nobody takes half of it for all. */
async function* cutOff(parts: AsyncGenerator<string>, log: Logger): AsyncGenerator<string> {
  try {
    yield* parts
  } catch (error) {
    log.error({ error }, 'the export of sessions was cut off')
    throw error
  }
}

function otherwise(ctx: Context, path: string): Refusal {
  if (path === '/api/sessions' || path === '/api/grafana/sessions')
    return new Refusal(405, 'Method not allowed')
  if (path === '/api/sessions/') return new Refusal(400, 'Session ID required')
  if (!path.startsWith('/api/sessions/') && !path.includes('//'))
    return new Refusal(404, '404 page not found')
  // A redirect would repeat the token of the path.
  if (path.includes('//') && path === ctx.path) {
    ctx.set('location', path.replaceAll(/\/{2,}/g, '/'))
    return new Refusal(301, 'Moved Permanently')
  }
  return new Refusal(404, 'Not found')
}

const problemOf = ({ status, kind }: Refusal) =>
  kind ??
  (status === 400 ? 'invalid-input' : status === 405 ? 'method-not-allowed' : 'route-not-found')

function refuse(ctx: Context, error: unknown): void {
  const wantsProblem = ctx.get('accept').includes('application/problem+json')
  if (error instanceof RayneError && (wantsProblem || error.status >= 500)) throw error
  const refusal =
    error instanceof InvalidBody
      ? new Refusal(400, 'Invalid request body')
      : error instanceof RayneError
        ? new Refusal(error.status, error.message)
        : error
  if (!(refusal instanceof Refusal)) throw error
  if (wantsProblem && refusal.status >= 400)
    throw new RayneError({ code: problemOf(refusal), message: refusal.message })
  ctx.status = refusal.status
  ctx.set('content-type', 'text/plain; charset=utf-8')
  ctx.set('x-content-type-options', 'nosniff')
  ctx.body = `${refusal.message}\n`
}
