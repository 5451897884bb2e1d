import type Koa from 'koa'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../auth/principal.ts'
import { passOver } from './body.ts'

/** One request under way, before and beside any HTTP library. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Values of the `{name}` parts of the path. */
  readonly params: Readonly<Record<string, string>>
  /** The query string without its question mark. */
  readonly search: string
  readonly principal: Principal
  readonly requestId: string
}

/** A whole answer as it goes out; `body` is undefined where there is none. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** Of every answer: it is what it says it is, and no cache keeps it; a raw route may say otherwise. */
export const safeHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store'
}

/** Writes an answer on Node's own response; a refused body is taken in before the connection ends. */
export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, headers, body = '' } = answer
  if (response.headersSent) return
  // All headers at once: one that was set before makes Node keep and sort them all.
  response.writeHead(
    status,
    status === 204 ? headers : { ...headers, 'content-length': Buffer.byteLength(body) }
  )
  if (headers['connection'] !== 'close') return void response.end(body)
  response.write(body)
  void passOver(request).then(() => response.end())
}

/** The same answer through Koa, which writes it at the end of its chain; one that ends the connection is sent here. */
export function write(ctx: Koa.Context, answer: Answer): void {
  const { status, headers, body } = answer
  if (headers['connection'] === 'close') {
    ctx.respond = false
    return send(ctx.req, ctx.res, answer)
  }
  ctx.set(headers)
  ctx.status = status
  ctx.body = body ?? null
  if (headers['content-type'] !== undefined) ctx.type = headers['content-type']
}
