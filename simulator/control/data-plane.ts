import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { authorise, type Account } from '../world/accounts.ts'
import { ApiError, refuse } from '../routes/api-error.ts'
import type { Clock } from '../world/clock.ts'
import { bentRequest, type createRecentWrites } from './fault-bodies.ts'
import {
  faultedAnswer,
  replacesHandler,
  send,
  type Answer,
  type FaultThen,
  type Faults
} from './faults.ts'
import { readBody } from './http.ts'
import type { Journal } from './journal.ts'
import { gauss } from '../world/random.ts'
import { bucket, type createRateLimits } from './rate-limits.ts'
import { createRouter } from '../routes/route.ts'
import { routes } from '../routes/all-routes.ts'
import type { RecordedWorld } from '../world/world-file.ts'

/** What the data plane reads; `generation` rises with every reset. */
export interface DataPlane {
  readonly accounts: () => readonly Account[]
  readonly clock: Clock
  readonly journal: Journal
  readonly faults: Faults
  readonly limits: ReturnType<typeof createRateLimits>
  readonly recent: ReturnType<typeof createRecentWrites>
  readonly generation: () => number
  readonly latency: 'none' | 'realistic'
  readonly recorded?: RecordedWorld['answer']
}
interface Outcome extends Answer {
  readonly account: string | null
  readonly op: string | null
  readonly known: boolean
  readonly request: unknown
}

const find = createRouter(routes)
// Operations without an observed limit still send headers; theirs is never reached.
const unnamedBucket = bucket('others', 12_000, 60)
const json = { 'content-type': 'application/json' }

/** The Datadog surface; a path may start with `/acct/<name>`. */
export function createDataPlane(plane: DataPlane): Server {
  let served = 0
  return createServer((req, res) => {
    const n = ++served
    void serve(plane, req, res, n).catch((error: unknown) => {
      if (!res.headersSent)
        res.writeHead(500, json).end(JSON.stringify({ errors: [`simulator: ${String(error)}`] }))
    })
  })
}

async function serve(
  plane: DataPlane,
  req: IncomingMessage,
  res: ServerResponse,
  n: number
): Promise<void> {
  const started = performance.now()
  const url = new URL(req.url ?? '/', 'http://simulator')
  const prefixed = /^\/acct\/([^/]+)(\/.*)$/.exec(url.pathname)
  const path = prefixed?.[2] ?? url.pathname
  const method = req.method ?? 'GET'
  const text = await readBody(req)
  const now = plane.clock.now()
  const keyOwner = plane.accounts().find(a => a.apiKey === req.headers['dd-api-key'])?.spec.name
  const fault = plane.faults.pick({
    method,
    path,
    account: keyOwner ?? prefixed?.[1],
    op: find(method, path)?.route.op,
    now
  })
  const bent = bentRequest(fault, text, url.searchParams)
  if (plane.latency === 'realistic')
    await wait(Math.min(20_000, 300 * Math.exp(0.668 * gauss(n, 1))))
  const real =
    fault && replacesHandler(fault)
      ? { ...empty, account: keyOwner ?? null }
      : perform(plane, {
          method,
          path,
          prefix: prefixed?.[1],
          query: bent.query,
          text: bent.text,
          headers: req.headers,
          now: fault?.type === 'skew' ? now + (fault.ms ?? 90_000) : now
        })
  const shown = lagging(plane, fault ? faultedAnswer(fault, real, now) : real, {
    fault,
    real,
    method,
    path,
    now
  })
  record(
    plane,
    { method, path, query: url.search, now, ms: performance.now() - started },
    { ...real, ...shown },
    fault
  )
  await send(
    res,
    {
      ...shown,
      headers: {
        ...shown.headers,
        date: new Date(fault?.type === 'skew' ? now + (fault.ms ?? 90_000) : now).toUTCString()
      }
    },
    fault
  )
}

/** Notes what was made, and under a `consistency` fault hides it for a while. */
function lagging(
  plane: DataPlane,
  answer: Answer,
  {
    fault,
    real,
    method,
    path,
    now
  }: { fault: FaultThen | undefined; real: Outcome; method: string; path: string; now: number }
): Answer {
  if (method === 'POST' && real.account !== null) plane.recent.note(real.account, real, now)
  return fault?.type === 'consistency' && method === 'GET' && real.account !== null
    ? plane.recent.lagged(real.account, path, answer, now, fault.ms ?? 5000)
    : answer
}

const empty: Outcome = {
  status: 200,
  headers: {},
  body: '',
  account: null,
  op: null,
  known: true,
  request: undefined
}
interface Request {
  readonly method: string
  readonly path: string
  readonly prefix: string | undefined
  readonly query: URLSearchParams
  readonly text: string
  readonly headers: IncomingMessage['headers']
  readonly now: number
}

function perform(plane: DataPlane, request: Request): Outcome {
  const found = find(request.method, request.path)
  if (!found)
    return { ...empty, status: 404, headers: json, body: '{"errors":["Not found"]}', known: false }
  const { route, params } = found
  let limits: Record<string, string> = {}
  let account: Account | undefined
  const outcome = (status: number, body: string, headers: Record<string, string>): Outcome => ({
    status,
    body,
    headers: { ...headers, ...limits },
    account: account?.spec.name ?? null,
    op: route.op,
    known: true,
    request: request.text.slice(0, 2000)
  })
  try {
    account =
      route.page || route.anonymous
        ? visited(plane, request)
        : authorise(
            plane.accounts(),
            request.prefix,
            { api: header(request, 'dd-api-key'), app: header(request, 'dd-application-key') },
            route
          )
    if (!route.page && !route.anonymous) {
      const rule = route.bucket ?? unnamedBucket
      const counted = plane.limits.count(account.spec.name, rule, request.now)
      if (route.bucket === undefined) counted.exceeded = false
      limits = counted.headers
      if (counted.exceeded)
        throw refuse(
          429,
          `Rate limit of ${rule.limit} requests in ${rule.period} seconds reached. Please try again later.`
        )
    }
    const cursorKey = `${account.spec.name}-${plane.generation()}`
    const call = {
      account,
      params,
      query: request.query,
      body: parse(request.text),
      now: request.now,
      cursorKey,
      url: request.path
    }
    const reply = plane.recorded?.(route.op, call) ?? route.handle(call)
    const type: Record<string, string> =
      reply.type === null ? {} : { 'content-type': reply.type ?? 'application/json' }
    return outcome(
      reply.status,
      reply.text ?? (reply.body === undefined ? '' : JSON.stringify(reply.body)),
      type
    )
  } catch (error) {
    if (error instanceof ApiError)
      return outcome(error.status, JSON.stringify(error.body), { 'content-type': error.type })
    throw error
  }
}

/** The account a page belongs to. A page of another site must not read it through a name that was rebound to this address. */
function visited(plane: DataPlane, { prefix, headers }: Request): Account {
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')) throw refuse(403, 'Forbidden')
  const account =
    prefix === undefined ? plane.accounts()[0] : plane.accounts().find(a => a.spec.name === prefix)
  if (!account) throw refuse(404, 'Not found')
  return account
}

const header = (request: Request, name: string): string | undefined =>
  [request.headers[name]].flat()[0]

function parse(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw refuse(400, 'Invalid JSON structure')
  }
}

function record(
  plane: DataPlane,
  asked: { method: string; path: string; query: string; now: number; ms: number },
  outcome: Outcome,
  fault: FaultThen | undefined
): void {
  const { method, path, query, now, ms } = asked
  plane.journal.noteIds(outcome.body)
  plane.journal.add({
    at: now,
    account: outcome.account,
    method,
    path,
    query,
    body: outcome.request ?? null,
    op: outcome.op,
    status: fault?.type === 'timeout' ? 0 : outcome.status,
    bytes: Buffer.byteLength(outcome.body),
    ms,
    ...(outcome.known ? {} : { unknown_route: true as const }),
    ...(fault ? { fault: fault.type } : {})
  })
}
