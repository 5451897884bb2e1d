import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../world/clock.ts'
import { gauss } from '../world/random.ts'
import type { Answer, FaultThen } from './fault.ts'
import { faultedAnswer, replacesHandler } from './fault-answers.ts'
import { bentRequest, type RecentWrites } from './fault-bodies.ts'
import type { Faults } from './faults.ts'
import {
  emptyOutcome,
  findRoute,
  handleRequest,
  type Asked,
  type Outcome,
  type Served
} from './handle-request.ts'
import { readBody } from './http.ts'
import type { Journal } from './journal.ts'
import { foreignRequest, isNavigation } from './loopback-guard.ts'
import { sendAnswer } from './send-answer.ts'

/** What the data plane reads and writes down. */
export interface DataPlane extends Served {
  readonly clock: Clock
  readonly journal: Journal
  readonly faults: Faults
  readonly recent: RecentWrites
  readonly latency: 'none' | 'realistic'
}
/** One request on its way: what was asked, the fault that hits it, and when it came. */
interface Passage {
  readonly asked: Asked
  readonly search: string
  readonly fault: FaultThen | undefined
  readonly keyOwner: string | undefined
  readonly started: number
}

const json = { 'content-type': 'application/json' }
const SLOWEST_MS = 20_000

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
  const [, prefix, path = url.pathname] = /^\/acct\/([^/]+)(\/.*)$/.exec(url.pathname) ?? []
  const method = req.method ?? 'GET'
  const foreign = refusalOf(req, method, path)
  if (foreign !== undefined) {
    req.resume()
    res.writeHead(403, json).end(JSON.stringify({ errors: [foreign] }))
    return
  }
  const text = await readBody(req)
  if (plane.latency === 'realistic')
    await wait(Math.min(SLOWEST_MS, 300 * Math.exp(0.668 * gauss(n, 1))))
  const now = plane.clock.now()
  const asked = { method, path, prefix, query: url.searchParams, text, headers: req.headers, now }
  const passage = { ...faultOn(plane, asked), search: url.search, started }
  const real = carriedOut(plane, passage)
  const answer = disturbed(plane, passage, real)
  record(plane, passage, { ...real, ...answer })
  await sendAnswer(res, dated(answer, passage), passage.fault)
}

/** A link to a page may be followed from anywhere; everything else is for programs and pages of this address. */
function refusalOf(req: IncomingMessage, method: string, path: string): string | undefined {
  const followed = isNavigation(method, req.headers) && findRoute(method, path)?.route.page === true
  return foreignRequest(followed ? { ...req.headers, 'sec-fetch-site': 'none' } : req.headers)
}

function faultOn(plane: DataPlane, asked: Asked): Omit<Passage, 'search' | 'started'> {
  const { method, path, now, prefix, text, query } = asked
  const keyOwner = plane.accounts().find(one => one.apiKey === asked.headers['dd-api-key'])
    ?.spec.name
  const op = findRoute(method, path)?.route.op
  const fault = plane.faults.pick({ method, path, account: keyOwner ?? prefix, op, now })
  return { asked: { ...asked, ...bentRequest(fault, text, query) }, fault, keyOwner }
}

/** How far ahead of ours the clock of a skewed Datadog is, in ms. */
const skewOf = (fault: FaultThen | undefined): number =>
  fault?.type === 'skew' ? (fault.ms ?? 90_000) : 0

function carriedOut(plane: DataPlane, { asked, fault, keyOwner }: Passage): Outcome {
  return fault && replacesHandler(fault)
    ? { ...emptyOutcome, account: keyOwner ?? null }
    : handleRequest(plane, { ...asked, now: asked.now + skewOf(fault) })
}

/** The answer as the fault leaves it; notes what was made, and under a `consistency` fault hides it for a while. */
function disturbed(plane: DataPlane, { asked, fault }: Passage, real: Outcome): Answer {
  const { method, path, now } = asked
  const answer = fault ? faultedAnswer(fault, real, now) : real
  if (real.account === null) return answer
  if (method === 'POST') plane.recent.note(real.account, real, now)
  return fault?.type === 'consistency' && method === 'GET'
    ? plane.recent.lagged({ account: real.account, path, now, ms: fault.ms ?? 5000 }, answer)
    : answer
}

const dated = (answer: Answer, { asked, fault }: Passage): Answer => ({
  ...answer,
  headers: { ...answer.headers, date: new Date(asked.now + skewOf(fault)).toUTCString() }
})

function record(plane: DataPlane, { asked, search, fault, started }: Passage, end: Outcome): void {
  plane.journal.noteIds(end.body)
  plane.journal.add({
    at: asked.now,
    account: end.account,
    method: asked.method,
    path: asked.path,
    query: search,
    body: end.request ?? null,
    op: end.op,
    status: fault?.type === 'timeout' ? 0 : end.status,
    bytes: Buffer.byteLength(end.body),
    ms: performance.now() - started,
    ...(end.known ? {} : { unknown_route: true as const }),
    ...(fault ? { fault: fault.type } : {})
  })
}
