import type Koa from 'koa'
import { RayneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Reply, Route, RouteRequest } from '../route.ts'
import { compile } from '../schema.ts'
import { parseJson, readBytes } from './body.ts'

const defaultBodyBytes = 1_048_576

export interface HandlerOptions {
  readonly log: Logger
  readonly validateResponses: boolean
  readonly requestTimeoutMs: number
}

/** A route as Koa runs it: reads and checks the request, calls the handler, writes what it returns. */
export function createHandler(route: Route, options: HandlerOptions) {
  const read = createReader(route)
  const response = options.validateResponses ? compile(route.response) : undefined
  return async (ctx: Koa.Context): Promise<void> => {
    const request: RouteRequest = {
      ...(await read(ctx)),
      headers: ctx.headers,
      principal: ctx.state['principal'],
      requestId: ctx.state['requestId'],
      ip: ctx.ip,
      log: options.log,
      get signal() {
        return requestSignal(ctx, options.requestTimeoutMs)
      }
    }
    const result = await route.handle(request)
    const answer = isReply(result)
      ? result
      : { status: route.status ?? 200, headers: {}, body: result }
    if (response && answer.status < 300) checkResponse(response, answer.body, route)
    write(ctx, answer)
  }
}

/** Reads what the schemas of a route speak of; what it has no schema for is not looked at. */
function createReader(route: Route) {
  const params = route.params && compile(route.params, 'coerce')
  const query = route.query && compile(route.query, 'coerce')
  const body = route.body && compile(route.body)
  const readsBody = route.rawBody === true || body !== undefined
  return async (ctx: Koa.Context): Promise<Pick<RouteRequest, 'params' | 'query' | 'body'>> => {
    const bytes = readsBody
      ? await readBytes(ctx.req, route.maxBodyBytes ?? defaultBodyBytes)
      : undefined
    return {
      params: params ? params({ ...ctx['params'] }, 'path') : {},
      query: query ? query({ ...ctx.query }, 'query') : {},
      body: route.rawBody ? bytes : body && bytes && body(parseJson(bytes), 'body')
    }
  }
}

const isReply = (value: unknown): value is Reply<unknown> =>
  typeof value === 'object' && value !== null && (value as { reply?: unknown }).reply === true

function write(ctx: Koa.Context, { status, headers, body }: Omit<Reply<unknown>, 'reply'>): void {
  ctx.set(headers)
  ctx.status = status
  ctx.body = body === undefined ? null : JSON.stringify(body)
  if (body !== undefined) ctx.type = 'application/json'
}

/** A handler that breaks its own response schema is a bug of ours, seen in tests and development. */
function checkResponse(
  check: (value: unknown, where: string) => unknown,
  body: unknown,
  { method, path }: Route
): void {
  try {
    check(JSON.parse(JSON.stringify(body ?? null)), 'response')
  } catch (error) {
    throw new Error(
      `${method} ${path} broke its response schema: ${error instanceof Error ? error.message : ''}`,
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
