import Router from '@koa/router'
import Koa from 'koa'
import { METHODS, type RequestListener } from 'node:http'
import type { TSchema } from 'typebox'
import { isAuthClass } from '../auth/principal.ts'
import type { Audit } from '../audit/store.ts'
import type { Access } from '../auth/access.ts'
import { bootError, RayneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { defineRoute, type RouteSpec } from '../route.ts'
import { safeHeaders, write, type Exchange } from './answer.ts'
import { createCrossOrigin } from './cross-origin.ts'
import { createDirect, plainPath, refuseNul, requestIdOf } from './direct.ts'
import { createHandler } from './handler.ts'
import type { Operation, RawHandler } from './operation.ts'
import type { PeerOf } from './peer.ts'
import { note } from './note.ts'
import { problemOf } from './problem.ts'

export interface RouterOptions {
  readonly access: Access
  readonly audit: Pick<Audit, 'add' | 'refused'>
  /** Pages of these origins may ask; none unless said. */
  readonly allowedOrigins?: readonly string[]
  readonly log: Logger
  readonly metrics: Metrics
  readonly peerOf: PeerOf
  readonly validateResponses: boolean
  readonly requestTimeoutMs?: number
}

/** Routes in, a request listener out; `ctx` does not leave this folder but through `raw`. */
export function createRouter(options: RouterOptions) {
  const { access } = options
  const handling = { requestTimeoutMs: 30_000, ...options }
  const operations: Operation[] = []
  const router = new Router()
  const direct = createDirect(options)

  function addToKoa(operation: Operation, run: RawHandler): void {
    router.register(
      operation.path.replace(/\{(\w+)\}/g, ':$1'),
      operation.method === '*' ? METHODS : [operation.method],
      async ctx => {
        ctx.state['route'] = operation.path
        ctx.state['auth'] = operation.auth
        ctx.state['challenge'] = operation.challenge?.(ctx)
        const authorize = () =>
          access.authorize(ctx.req, operation.auth, each => (ctx.state['principal'] = each))
        const principal = (ctx.state['principal'] = await authorize())
        await run(ctx, { principal, mayStill: () => authorize().then(() => true, isOutage) })
      }
    )
  }

  /** A typed route of a plugin, or of `core`, at `prefix` and its own path. */
  function route<
    P extends TSchema,
    Q extends TSchema,
    B extends TSchema,
    R extends TSchema,
    Raw extends boolean
  >(owner: string, prefix: string, spec: RouteSpec<P, Q, B, R, Raw>): void {
    const { method, summary, auth } = spec
    const path = `${prefix}${spec.path}`
    const operation = { owner, method, path, summary, auth, spec }
    assertAddable(operation, operations)
    operations.push(operation)
    const handle = createHandler(defineRoute(spec), handling)
    if (path.includes('{'))
      addToKoa(operation, async ctx => write(ctx, await handle(exchangeOf(ctx))))
    else direct.add({ method, path, auth, handle })
  }

  function raw(
    owner: string,
    method: string,
    path: string,
    words: Pick<Operation, 'summary' | 'auth' | 'about' | 'challenge'>,
    handler: RawHandler
  ): void {
    const operation = { owner, method, path, ...words }
    assertAddable(operation, operations)
    operations.push(operation)
    addToKoa(operation, handler)
  }

  return {
    route,
    raw,
    operations: operations as readonly Operation[],
    listener(): RequestListener {
      const others = createApplication(router, operations, options).callback()
      const crossOrigin = createCrossOrigin(options.allowedOrigins ?? [])
      return (request, response) => {
        if (crossOrigin(request, response)) return
        if (!direct.answers(request, response)) void others(request, response)
      }
    }
  }
}
export type HttpRouter = ReturnType<typeof createRouter>

function assertAddable(added: Operation, operations: readonly Operation[]): void {
  const name = `${added.method} ${added.path}`
  if (!isAuthClass(added.auth))
    throw bootError(
      `route ${name} of '${added.owner}' names no valid auth: ` +
        'public, ingest, user, admin or scope:<name>'
    )
  if (operations.some(other => `${other.method} ${other.path}` === name))
    throw bootError(`route ${name} is registered twice`)
}

const exchangeOf = (ctx: Koa.Context): Exchange => ({
  request: ctx.req,
  response: ctx.res,
  params: ctx['params'],
  search: ctx.querystring,
  principal: ctx.state['principal'],
  requestId: ctx.state['requestId']
})

/** What is not answered directly: paths with parameters, and routes that speak HTTP themselves. */
function createApplication(
  router: Router,
  operations: readonly Operation[],
  { access, audit, log, metrics, peerOf }: RouterOptions
): Koa {
  const app = new Koa({ proxy: false })
  const counters = new Map<string, ReturnType<Metrics['answers']>>()
  app.silent = true
  app.use(async (ctx, next) => {
    const started = performance.now()
    const requestId = requestIdOf(ctx.req)
    ctx.state['requestId'] = requestId
    ctx.set(safeHeaders)
    ctx.set('x-request-id', requestId)
    try {
      access.guard(ctx.req)
      refuseNul(ctx.req)
      if (ctx.path.includes('//') && isTyped(operations, plainPath(ctx.path)))
        ctx.path = plainPath(ctx.path)
      await next()
      if (ctx.status === 404 && ctx.body == null && !ctx.state['route'])
        throw nothingAt(ctx, operations)
    } catch (thrown) {
      const { route: at, challenge } = ctx.state
      write(ctx, problemOf(thrown, { requestId, route: at }, log, challenge))
    }
    const route = String(ctx.state['route'] ?? 'unmatched')
    note(audit, ctx.req, peerOf(ctx.req), {
      path: ctx.path,
      auth: ctx.state['auth'],
      principal: ctx.state['principal'],
      status: ctx.status
    })
    const key = `${ctx.method} ${route}`
    let count = counters.get(key)
    if (!count) counters.set(key, (count = metrics.answers(ctx.method, route)))
    count(ctx.status, performance.now() - started)
  })
  app.use(router.routes())
  return app
}

/** Whether an error says nothing about who asked. */
const isOutage = (error: unknown): boolean =>
  !(error instanceof RayneError && (error.status === 401 || error.status === 403))

const patternOf = ({ path }: Operation): RegExp =>
  new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)

/** Whether a path is one of a typed route: only those are looked for under a path with doubled slashes. */
const isTyped = (operations: readonly Operation[], path: string): boolean =>
  operations.some(operation => operation.spec && patternOf(operation).test(path))

function nothingAt(ctx: Koa.Context, operations: readonly Operation[]): RayneError {
  const path = ctx.path.slice(0, 200)
  const methods = operations
    .filter(operation => patternOf(operation).test(ctx.path))
    .map(operation => operation.method)
  if (methods.length === 0)
    return new RayneError({
      code: 'route-not-found',
      message: `there is nothing at ${ctx.method} ${path}; GET /docs lists what there is`
    })
  ctx.set('allow', methods.join(', '))
  return new RayneError({
    code: 'method-not-allowed',
    message: `${path} answers ${methods.join(', ')}, not ${ctx.method}`
  })
}
