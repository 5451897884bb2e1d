import type { IncomingHttpHeaders } from 'node:http'
import { authorise, type Account } from '../world/accounts.ts'
import { ApiError, refuse } from '../routes/api-error.ts'
import { createRouter, type Call, type Reply, type Route } from '../routes/route.ts'
import { routes } from '../routes/all-routes.ts'
import type { RecordedWorld } from '../world/world-file.ts'
import type { Answer } from './fault.ts'
import { bucket, type RateLimits } from './rate-limits.ts'

/** What answers are made from; `generation` rises with every reset. */
export interface Served {
  readonly accounts: () => readonly Account[]
  readonly limits: RateLimits
  readonly generation: () => number
  readonly recorded?: RecordedWorld['answer']
}
/** One request of the Datadog surface; `prefix` is the account its path names, `now` virtual time in epoch ms. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly prefix: string | undefined
  readonly query: URLSearchParams
  readonly text: string
  readonly headers: IncomingHttpHeaders
  readonly now: number
}
/** An answer and what the journal says of it. */
export interface Outcome extends Answer {
  readonly account: string | null
  readonly op: string | null
  readonly known: boolean
  readonly request: unknown
}

/** Finds the route of a request. */
export const findRoute = createRouter(routes)
// Operations without an observed limit still send headers; theirs is never reached.
const unnamedBucket = bucket('others', 12_000, 60)
const json = { 'content-type': 'application/json' }
/** No page may show these in a frame, and nothing in them runs. */
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin'
}

/** An answer before anything is known. */
export const emptyOutcome: Outcome = {
  status: 200,
  headers: {},
  body: '',
  account: null,
  op: null,
  known: true,
  request: undefined
}

/** Carries a request out; refusals are answers too. */
export function handleRequest(served: Served, asked: Asked): Outcome {
  const found = findRoute(asked.method, asked.path)
  if (!found)
    return {
      ...emptyOutcome,
      status: 404,
      headers: json,
      body: '{"errors":["Not found"]}',
      known: false
    }
  const { route, params } = found
  const known = { op: route.op, known: true, request: asked.text.slice(0, 2000) }
  let account: Account | undefined
  let limits: Readonly<Record<string, string>> = {}
  const outcome = (answer: Answer): Outcome => ({
    ...known,
    ...answer,
    headers: { ...answer.headers, ...limits, ...(route.page ? pageHeaders : {}) },
    account: account?.spec.name ?? null
  })
  try {
    account = accountFor(served, asked, route)
    if (!isOpen(route)) {
      const { headers, refusal } = counted(served, account, route, asked.now)
      limits = headers
      if (refusal) throw refusal
    }
    return outcome(shown(answerOf(served, asked, { account, route, params })))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { status, body, type } = error
    return outcome({ status, body: JSON.stringify(body), headers: { 'content-type': type } })
  }
}

const isOpen = (route: Route): boolean => route.page === true || route.anonymous === true

/** The account of the keys, or for a page that of its path. */
function accountFor(served: Served, { prefix, headers }: Asked, route: Route): Account {
  const key = (name: string): string | undefined => [headers[name]].flat()[0]
  const accounts = served.accounts()
  if (!isOpen(route))
    return authorise(
      accounts,
      prefix,
      { api: key('dd-api-key'), app: key('dd-application-key') },
      route
    )
  const account =
    prefix === undefined ? accounts[0] : accounts.find(one => one.spec.name === prefix)
  if (!account) throw refuse(404, 'Not found')
  return account
}

function counted({ limits }: Served, account: Account, route: Route, now: number) {
  const rule = route.bucket ?? unnamedBucket
  const { headers, exceeded } = limits.count(account.spec.name, rule, now)
  return {
    headers,
    refusal:
      exceeded && route.bucket
        ? refuse(
            429,
            `Rate limit of ${rule.limit} requests in ${rule.period} seconds reached. Please try again later.`
          )
        : undefined
  }
}

function answerOf(
  served: Served,
  asked: Asked,
  { account, route, params }: Pick<Call, 'account' | 'params'> & { readonly route: Route }
): Reply {
  const call = {
    account,
    params,
    query: asked.query,
    body: parse(asked.text),
    now: asked.now,
    cursorKey: `${account.spec.name}-${served.generation()}`,
    url: asked.path
  }
  return served.recorded?.(route.op, call) ?? route.handle(call)
}

function shown({ status, text, body, type }: Reply): Answer {
  return {
    status,
    body: text ?? (body === undefined ? '' : JSON.stringify(body)),
    headers: type === null ? {} : { 'content-type': type ?? 'application/json' }
  }
}

function parse(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw refuse(400, 'Invalid JSON structure')
  }
}
