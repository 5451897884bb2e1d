import type { ServerResponse } from 'node:http'
import { parse } from 'node:querystring'
import { RayneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Reply, Route, RouteRequest } from '../route.ts'
import { compile } from '../schema.ts'
import type { Answer, Exchange } from './answer.ts'
import { shareOf, type BodyShare } from './body-budget.ts'
import { parseJson, readDecoded, readRaw } from './body.ts'
import type { PeerOf } from './peer.ts'

const defaultBodyBytes = 1_048_576
/** Nobody has said yet who they are. */
const publicBodyBytes = 4_096
const jsonType = { 'content-type': 'application/json; charset=utf-8' }

export interface HandlerOptions {
  readonly log: Logger
  readonly validateResponses: boolean
  readonly requestTimeoutMs: number
  readonly peerOf: PeerOf
}

export type Handler = (exchange: Exchange) => Promise<Answer>

/** A route as it is run: reads and checks the request, calls the handler, makes an answer of what it returns. */
export function createHandler(route: Route, options: HandlerOptions): Handler {
  const read = createReader(route)
  const response = options.validateResponses ? compile(route.response) : undefined
  return async exchange => {
    const { request, response: outgoing, principal, requestId } = exchange
    const ip = options.peerOf(request)
    const share = shareOf(ip)
    let result: unknown
    try {
      const { params, query, body } = await read(exchange, share)
      result = await route.handle({
        params,
        query,
        body,
        headers: request.headers,
        principal,
        requestId,
        ip,
        log: options.log,
        get signal() {
          return requestSignal(outgoing, options.requestTimeoutMs)
        }
      })
    } finally {
      share.giveBack()
    }
    const given = isReply(result) ? result : { status: route.status ?? 200, body: result }
    if (response && given.status < 300) checkResponse(response, given.body, route)
    return answerOf(given)
  }
}

/** Reads what the schemas of a route speak of; what it has no schema for is not looked at. */
function createReader(route: Route) {
  const params = route.params && compile(route.params, 'coerce')
  const query = route.query && compile(route.query, 'coerce')
  const body = route.body && compile(route.body)
  const maxBytes =
    route.maxBodyBytes ?? (route.auth === 'public' ? publicBodyBytes : defaultBodyBytes)
  return async (
    given: Exchange,
    share: BodyShare
  ): Promise<Pick<RouteRequest, 'params' | 'query' | 'body'>> => {
    const read = {
      params: params ? params({ ...given.params }, 'path') : {},
      query: query ? query({ ...parse(given.search) }, 'query') : {}
    }
    const bytesOf = route.decoded || !route.rawBody ? readDecoded : readRaw
    if (!route.rawBody && !body) return { ...read, body: undefined }
    const bytes = await bytesOf(given.request, maxBytes, share)
    if (route.rawBody || !body) return { ...read, body: bytes }
    return { ...read, body: body(parseJson(bytes), 'body') }
  }
}

const isReply = (value: unknown): value is Reply<unknown> =>
  typeof value === 'object' && value !== null && (value as { reply?: unknown }).reply === true

type Given = Pick<Reply<unknown>, 'status' | 'body'> & Partial<Pick<Reply<unknown>, 'headers'>>

function answerOf({ status, headers, body }: Given): Answer {
  if (body === undefined) return { status, headers: headers ?? {}, body }
  const all = headers ? { ...jsonType, ...headers } : jsonType
  return { status, headers: all, body: JSON.stringify(body) }
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

function requestSignal(response: ServerResponse, timeoutMs: number): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished)
      gone.abort(new RayneError({ code: 'client-gone', message: 'the client went away' }))
  })
  return AbortSignal.any([gone.signal, AbortSignal.timeout(timeoutMs)])
}
