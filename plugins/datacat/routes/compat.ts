import { Readable } from 'node:stream'
import { Type, type Caller, type PluginApp } from '../../../core/index.ts'
import { datacatErrors } from '../contract.ts'
import type { DatacatService } from '../service/datacat.ts'
import { readSince } from '../wire/filter.ts'
import { Created, Cut, Data, OldEvent, OldMetric, OldSession } from '../wire/first-version.ts'
import { headerId, headerKey } from '../wire/opening.ts'
import { parseWrites } from '../wire/parse.ts'
import { Done } from '../wire/schemas.ts'
import { isSessionId } from '../wire/session-id.ts'
import { readLimit } from '../wire/time.ts'
import type { AddRoute } from './add-route.ts'
import {
  answer,
  exact,
  otherwise,
  readBody,
  Refusal,
  type OldHandler,
  type Context
} from './old-answers.ts'

/** One operation of the first version; its path follows the base. */
interface OldRoute {
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly auth: 'scope:datacat' | 'user' | 'public'
  readonly about?: NonNullable<Parameters<PluginApp<unknown>['raw']>[2]['about']>
  readonly run: OldHandler
}

const verbs = [
  ['state', 'Merge a patch into the state', Data],
  ['events', 'Log an event', OldEvent],
  ['metrics', 'Log a metric', OldMetric],
  ['end', 'End a session', undefined]
] as const
const ok = '{"status":"ok"}\n'

const oldRoutes: readonly OldRoute[] = [
  {
    method: 'POST',
    path: '/api/sessions',
    summary: 'Open a session',
    auth: 'scope:datacat',
    about: { response: Created },
    run: exact(open)
  },
  {
    method: 'GET',
    path: '/api/sessions/{id}',
    summary: 'A session with all its events and metrics',
    auth: 'user',
    about: { response: OldSession },
    run: readSession
  },
  ...verbs.map(([verb, summary, body]) => ({
    method: 'POST',
    path: `/api/sessions/{id}/${verb}`,
    summary,
    auth: 'scope:datacat' as const,
    about: { response: Done, ...(body ? { body } : {}) },
    run: exact((datacat, ctx, path) => write(datacat, ctx, path, verb))
  })),
  {
    method: 'GET',
    path: '/api/grafana/sessions',
    summary: 'All sessions with everything in them, streamed',
    auth: 'user',
    about: { query: Cut, response: Type.Array(OldSession) },
    run: exact(readAll)
  }
]

/**
 * The wire contract of the first version, at its paths and, for clients that cannot send a header,
 * behind `/k/{key}`.
 */
export const compatRoutes: readonly AddRoute[] = ['', '/k/{key}'].flatMap(base => [
  ...oldRoutes.map(
    ({ method, path, summary, auth, about = {}, run }): AddRoute =>
      (app, datacat) =>
        app.raw(
          method,
          `${base}${path}`,
          {
            summary: base === '' ? summary : `${summary}, with the token in the path`,
            auth,
            about
          },
          answer(app.log, (ctx, at, caller) => run(datacat, ctx, at, caller))
        )
  ),
  // Last of its base: it answers whatever the others leave.
  app =>
    app.raw(
      '*',
      `${base}/api/*rest`,
      { summary: "The first version's answers to anything else", auth: 'public' },
      answer(app.log, async (ctx, at) => {
        throw otherwise(ctx, at)
      })
    )
])

// The first version compares ids letter by letter.
const isKnowable = (id: string): boolean => isSessionId(id) && id === id.toLowerCase()
/** The third part of `/api/sessions/{id}/…`. */
const idOf = (path: string): string => path.split('/')[3] ?? ''

/** The first version's clients send no key; one of ours makes a repeated request the same session. */
async function open(datacat: DatacatService, ctx: Context): Promise<string> {
  const id = headerId(ctx.get('idempotency-key') || undefined)
  return `{"session_id":"${(await datacat.open(id === null ? {} : { id })).id}"}\n`
}

async function write(
  datacat: DatacatService,
  ctx: Context,
  path: string,
  verb: (typeof verbs)[number][0]
): Promise<string> {
  const id = idOf(path)
  const writes = verb === 'end' ? { end: true } : parseWrites(verb, await readBody(ctx))
  const key = headerKey(ctx.get('idempotency-key') || undefined)
  if (!isKnowable(id) || (await datacat.store({ sessionId: id, key, ...writes })) === 'unknown')
    throw new Refusal(404, 'session not found', datacatErrors['session-not-found'])
  return ok
}

async function readSession(
  datacat: DatacatService,
  ctx: Context,
  path: string
): Promise<Buffer | Readable> {
  if (ctx.method !== 'GET') throw new Refusal(404, 'Not found')
  const id = idOf(path)
  const found = isKnowable(id) ? await datacat.render(id) : undefined
  if (!found) throw new Refusal(404, 'Session not found', datacatErrors['session-not-found'])
  return Buffer.isBuffer(found) ? found : Readable.from(found)
}

async function readAll(
  { exporter, streams }: DatacatService,
  ctx: Context,
  _path: string,
  caller: Caller
): Promise<Readable> {
  if (ctx.method !== 'GET') throw new Refusal(405, 'Method not allowed')
  const [since, limit] = [firstOf(ctx.query['since']), firstOf(ctx.query['limit'])]
  const filter = readSince(since, '/query/since')
  const count = readLimit(limit, '/query/limit')
  return streams.export(ctx, caller, () => exporter.array(filter, count))
}

const firstOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value
