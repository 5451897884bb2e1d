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
import type { RawWords, Reply, RouteRequest, RouteSpec } from '../plugin.ts'
import { compile } from '../schema.ts'
import { parseJson, readBytes } from './body.ts'
import { problemBody, toRayneError } from './problem.ts'

export type RawHandler = (ctx: Koa.Context) => Promise<void> | void

/** One operation as it was registered, for OpenAPI, the architecture test and the access test. */
export interface Operation {
  readonly owner: string
  readonly method: string
  /** With `{name}` parameters. */
  readonly path: string
  readonly summary: string
  readonly auth: AuthClass
  readonly spec?: RouteSpec<TSchema, TSchema, TSchema, TSchema>
  readonly about?: RawWords
}

export interface RouterOptions {
  readonly access: Access
  readonly log: Logger
  readonly metrics: Metrics
  readonly validateResponses: boolean
  readonly requestTimeoutMs?: number
}

/** Routes in, a Koa application out; `ctx` does not leave this folder but through `raw`. */
export function createRouter({
  access,
  log,
  metrics,
  validateResponses,
  requestTimeoutMs = 30_000
}: RouterOptions) {
  const operations: Operation[] = []
  const router = new Router()

  function add(operation: Operation, run: (ctx: Koa.Context) => Promise<void>): void {
    const name = `${operation.method} ${operation.path}`
    if (!isAuthClass(operation.auth))
      throw bootError(
        `route ${name} of '${operation.owner}' names no valid auth: public, ingest, user, admin or scope:<name>`
      )
    if (operations.some(other => `${other.method} ${other.path}` === name))
      throw bootError(`route ${name} is registered twice`)
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

  function route(
    owner: string,
    prefix: string,
    spec: RouteSpec<TSchema, TSchema, TSchema, TSchema>
  ): void {
    const path = `${prefix}${spec.path}`
    const handle = createHandler(spec, validateResponses, log)
    add({ owner, method: spec.method, path, summary: spec.summary, auth: spec.auth, spec }, ctx =>
      handle(ctx, requestTimeoutMs)
    )
  }

  function raw(
    owner: string,
    method: string,
    path: string,
    options: { summary: string; auth: AuthClass; about?: RawWords },
    handler: RawHandler
  ): void {
    add({ owner, method, path, ...options }, async ctx => {
      await handler(ctx)
    })
  }

  function application(): Koa {
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
      metrics.request(
        ctx.method,
        String(ctx.state['route'] ?? 'unmatched'),
        ctx.status,
        (performance.now() - started) / 1000
      )
    })
    app.use(router.routes())
    return app
  }

  return { route, raw, application, operations: operations as readonly Operation[] }
}
export type HttpRouter = ReturnType<typeof createRouter>

function createHandler(
  spec: RouteSpec<TSchema, TSchema, TSchema, TSchema>,
  validateResponses: boolean,
  log: Logger
) {
  const params = spec.params && compile(spec.params, 'coerce')
  const query = spec.query && compile(spec.query, 'coerce')
  const body = spec.body && compile(spec.body)
  const response = validateResponses ? compile(spec.response) : undefined
  return async (ctx: Koa.Context, timeoutMs: number): Promise<void> => {
    const readsBody = spec.rawBody || body
    const bytes = readsBody ? await readBytes(ctx.req, spec.bodyLimit ?? 1_048_576) : undefined
    const request: RouteRequest = {
      params: params ? params({ ...ctx['params'] }, 'path') : {},
      query: query ? query({ ...ctx.query }, 'query') : {},
      body: spec.rawBody ? bytes : body && bytes ? body(parseJson(bytes), 'body') : undefined,
      headers: ctx.headers,
      principal: ctx.state['principal'],
      requestId: ctx.state['requestId'],
      ip: ctx.ip,
      log,
      get signal() {
        return requestSignal(ctx, timeoutMs)
      }
    }
    const result = await spec.handle(request)
    const {
      status,
      headers,
      body: data
    } = isReply(result) ? result : { status: spec.status ?? 200, headers: {}, body: result }
    if (response && status < 300) checkResponse(response, data, spec)
    ctx.set(headers)
    ctx.status = status
    ctx.body = data === undefined ? null : JSON.stringify(data)
    if (data !== undefined) ctx.type = 'application/json'
  }
}

const isReply = (value: unknown): value is Reply<unknown> =>
  typeof value === 'object' && value !== null && (value as { reply?: unknown }).reply === true

/** A handler that breaks its own response schema is a bug of ours, seen in tests and development. */
function checkResponse(
  check: (value: unknown, where: string) => unknown,
  data: unknown,
  spec: { method: string; path: string }
): void {
  try {
    check(JSON.parse(JSON.stringify(data ?? null)), 'response')
  } catch (error) {
    throw new Error(
      `${spec.method} ${spec.path} broke its response schema: ${error instanceof Error ? error.message : ''}`,
      { cause: error }
    )
  }
}

function requestSignal(ctx: Koa.Context, timeoutMs: number): AbortSignal {
  const gone = new AbortController()
  ctx.res.once('close', () => {
    if (!ctx.res.writableFinished)
      gone.abort(new RayneError({ code: 'client-gone', message: 'the client went away' }))
  })
  return AbortSignal.any([gone.signal, AbortSignal.timeout(timeoutMs)])
}

function requestIdOf(ctx: Koa.Context): string {
  const given = ctx.get('x-request-id')
  const id = /^[\w.-]{8,64}$/.test(given) ? given : randomUUID()
  ctx.set('x-request-id', id)
  return id
}

function nothingAt(ctx: Koa.Context, operations: readonly Operation[]): RayneError {
  const methods = operations
    .filter(operation =>
      new RegExp(`^${operation.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(ctx.path)
    )
    .map(operation => operation.method)
  if (methods.length === 0)
    return new RayneError({
      code: 'route-not-found',
      message: `there is nothing at ${ctx.method} ${ctx.path.slice(0, 200)}; GET /docs lists what there is`
    })
  ctx.set('allow', methods.join(', '))
  return new RayneError({
    code: 'method-not-allowed',
    message: `${ctx.path.slice(0, 200)} answers ${methods.join(', ')}, not ${ctx.method}`
  })
}

function respondWithProblem(
  ctx: Koa.Context,
  thrown: unknown,
  requestId: string,
  log: Logger
): void {
  const error = toRayneError(thrown)
  if (error.status >= 500)
    log.error({ error: error.cause ?? thrown, requestId, route: ctx.state['route'] }, error.message)
  if (error.details.retryAfterSeconds !== undefined)
    ctx.set('retry-after', String(Math.ceil(error.details.retryAfterSeconds)))
  if (error.status === 401) ctx.set('www-authenticate', 'Bearer realm="rayne", Basic realm="rayne"')
  // Bytes of a refused body may still be on their way: the connection cannot be used again.
  if (error.status === 413 || error.code === 'body-incomplete') ctx.set('connection', 'close')
  ctx.status = error.status
  ctx.body = problemBody(error, requestId)
  ctx.type = 'application/problem+json'
}
