import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Access } from '../auth/access.ts'
import type { Audit } from '../audit/store.ts'
import type { AuthClass, Principal } from '../auth/principal.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { safeHeaders, send, type Answer } from './answer.ts'
import type { Handler } from './handler.ts'
import { invalid } from '../errors.ts'
import { note } from './note.ts'
import type { PeerOf } from './peer.ts'
import { problemOf } from './problem.ts'

/** A route that is answered on Node's own request and response. */
export interface DirectRoute {
  readonly method: string
  readonly path: string
  readonly auth: AuthClass
  readonly handle: Handler
}
interface Served extends DirectRoute {
  readonly count: (status: number, durationMs: number) => void
}

/**
 * Routes without parameters, found by method and path in one look and run without a chain of middleware, which would
 * cost as much as all the rest of a small request.
 */
export function createDirect(options: {
  readonly access: Access
  readonly log: Logger
  readonly metrics: Metrics
  readonly audit: Pick<Audit, 'add' | 'refused'>
  readonly peerOf: PeerOf
}) {
  const { access, audit, log, metrics, peerOf } = options
  const routes = new Map<string, Served>()

  async function serve(
    route: Served,
    request: IncomingMessage,
    response: ServerResponse,
    search: string
  ): Promise<void> {
    const started = performance.now()
    const requestId = requestIdOf(request)
    let answer: Answer
    let principal: Principal | undefined
    try {
      access.guard(request)
      refuseNul(request)
      const caller = await access.authorize(request, route.auth, each => (principal = each))
      const params = {}
      const exchange = { request, response, params, search, principal: caller, requestId }
      answer = await route.handle(exchange)
    } catch (thrown) {
      answer = problemOf(thrown, { requestId, route: route.path }, log)
    }
    const headers = { ...safeHeaders, ...answer.headers, 'x-request-id': requestId }
    send(request, response, { ...answer, headers })
    const { path, auth } = route
    note(audit, request, peerOf(request), { path, auth, principal, status: answer.status })
    route.count(answer.status, performance.now() - started)
  }

  return {
    add(route: DirectRoute): void {
      const served = { ...route, count: metrics.answers(route.method, route.path) }
      routes.set(`${route.method} ${route.path}`, served)
      if (route.method !== 'GET') return
      routes.set(`HEAD ${route.path}`, { ...route, count: metrics.answers('HEAD', route.path) })
    },
    /** Answers a request for one of the routes; false when there is none. */
    answers(request: IncomingMessage, response: ServerResponse): boolean {
      const { method = 'GET', url = '/' } = request
      const mark = url.indexOf('?')
      const route = routes.get(`${method} ${plainPath(mark < 0 ? url : url.slice(0, mark))}`)
      if (route) void serve(route, request, response, mark < 0 ? '' : url.slice(mark + 1))
      return route !== undefined
    }
  }
}

/** A path without doubled or trailing slashes, which base addresses of senders bring in. */
export const plainPath = (path: string): string => {
  const single = path.includes('//') ? path.replace(/\/{2,}/g, '/') : path
  return single.length > 1 && single.endsWith('/') ? single.slice(0, -1) : single
}

/** NUL is part of no address that means something, and no text of PostgreSQL can hold it. */
export function refuseNul({ url = '' }: IncomingMessage): void {
  if (!url.includes('%00') && !url.includes('\0')) return
  const [path = '', search = ''] = url.split('?', 2)
  const field = search.split('&').find(each => each.includes('%00'))
  const where = path.includes('%00') || field === undefined ? 'path' : 'query'
  const name = where === 'query' ? `/${field?.split('=')[0] ?? ''}` : ''
  throw invalid(`/${where}${name}`, 'must not have a NUL character')
}

/** The caller's own id for a request when it is a sane one, else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{8,64}$/.test(given) ? given : randomUUID()
}
