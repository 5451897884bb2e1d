import Router from '@koa/router'
import Koa from 'koa'
import { randomUUID } from 'node:crypto'
import { METHODS } from 'node:http'
import type { TSchema } from 'typebox'
import { isAuthClass, type AuthClass } from '../auth/principal.ts'
import type { Access } from '../auth/access.ts'
import { bootError, RayneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { defineRoute, type RawWords, type RouteSpec } from '../route.ts'
import { createHandler } from './handler.ts'
import type { Operation, RawHandler } from './operation.ts'
import { respondWithProblem } from './problem.ts'

export interface RouterOptions {
  readonly access: Access
  readonly log: Logger
  readonly metrics: Metrics
  readonly validateResponses: boolean
  readonly requestTimeoutMs?: number
}

/** Routes in, a Koa application out; `ctx` does not leave this folder but through `raw`. */
export function createRouter(options: RouterOptions) {
  const { access } = options
  const handling = { requestTimeoutMs: 30_000, ...options }
  const operations: Operation[] = []
  const router = new Router()

  function add(operation: Operation, run: RawHandler): void {
    assertAddable(operation, operations)
    operations.push(operation)
    router.register(
      operation.path.replace(/\{(\w+)\}/g, ':$1'),
      operation.method === '*' ? METHODS : [operation.method],
      async ctx => {
        ctx.state['route'] = operation.path
        ctx.state['principal'] = await access.authorize(ctx.req, operation.auth, ctx.ip)
        await run(ctx)
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
    add({ owner, method, path, summary, auth, spec }, createHandler(defineRoute(spec), handling))
  }

  function raw(
    owner: string,
    method: string,
    path: string,
    words: { summary: string; auth: AuthClass; about?: RawWords },
    handler: RawHandler
  ): void {
    add({ owner, method, path, ...words }, handler)
  }

  return {
    route,
    raw,
    application: () => createApplication(router, operations, options),
    operations: operations as readonly Operation[]
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

function createApplication(
  router: Router,
  operations: readonly Operation[],
  { access, log, metrics }: RouterOptions
): Koa {
  const app = new Koa({ proxy: false })
  app.silent = true
  app.use(async (ctx, next) => {
    const started = performance.now()
    const requestId = requestIdOf(ctx)
    ctx.state['requestId'] = requestId
    try {
      access.guard(ctx.req)
      await next()
      if (ctx.status === 404 && ctx.body == null && !ctx.state['route'])
        throw nothingAt(ctx, operations)
    } catch (thrown) {
      respondWithProblem(ctx, thrown, requestId, log)
    }
    const seconds = (performance.now() - started) / 1000
    metrics.request(ctx.method, String(ctx.state['route'] ?? 'unmatched'), ctx.status, seconds)
  })
  app.use(router.routes())
  return app
}

function requestIdOf(ctx: Koa.Context): string {
  const given = ctx.get('x-request-id')
  const id = /^[\w.-]{8,64}$/.test(given) ? given : randomUUID()
  ctx.set('x-request-id', id)
  return id
}

function nothingAt(ctx: Koa.Context, operations: readonly Operation[]): RayneError {
  const path = ctx.path.slice(0, 200)
  const methods = operations
    .filter(operation =>
      new RegExp(`^${operation.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(ctx.path)
    )
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
