import type { IncomingHttpHeaders } from 'node:http'
import type { Static, TSchema, TUnknown } from 'typebox'
import type { AuthClass, Principal } from './auth/principal.ts'
import type { Logger } from './log.ts'

/** The data a route handler sees; nothing of the HTTP library. */
export interface RouteRequest<P = unknown, Q = unknown, B = unknown> {
  readonly params: P
  readonly query: Q
  /** The validated body, or the bytes of a `rawBody` route. */
  readonly body: B
  readonly headers: IncomingHttpHeaders
  readonly principal: Principal
  readonly requestId: string
  /** The peer's address. */
  readonly ip: string
  readonly log: Logger
  /** Aborts when the client goes away or the request's time is up. */
  readonly signal: AbortSignal
}

/** An answer with a status or headers of its own; made by `reply()`. */
export interface Reply<R> {
  readonly reply: true
  readonly status: number
  readonly body: R
  readonly headers: Readonly<Record<string, string>>
}
export const reply = <R>(
  status: number,
  body: R,
  headers: Record<string, string> = {}
): Reply<R> => ({ reply: true, status, body, headers })

/** What a route says of itself; routing, validation, access control and OpenAPI are made of it. */
export interface RouteWords<
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
  R extends TSchema = TSchema
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Appended to the plugin's prefix; parameters as `{id}`; empty for the prefix itself. */
  readonly path: `/${string}` | ''
  readonly summary: string
  readonly description?: string
  readonly auth: AuthClass
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** The handler gets the bytes; `body` is for OpenAPI only. */
  readonly rawBody?: boolean
  /** Raw bytes come after decompression, and not as they were sent. */
  readonly decoded?: boolean
  /** After decompression; default 1 MB. */
  readonly maxBodyBytes?: number
  readonly response: R
  /** Success status, default 200. */
  readonly status?: number
  /** Other statuses the handler may `reply()` with, and what they mean. */
  readonly also?: Readonly<Record<number, string>>
}

type Answer<T> = Promise<T | Reply<T>> | T | Reply<T>

/** One HTTP operation: schemas in, data out; `Raw` is whether the handler gets the undecoded body. */
export interface RouteSpec<
  P extends TSchema = TUnknown,
  Q extends TSchema = TUnknown,
  B extends TSchema = TUnknown,
  R extends TSchema = TUnknown,
  Raw extends boolean = false
> extends RouteWords<P, Q, B, R> {
  readonly rawBody?: Raw
  handle(
    request: RouteRequest<Static<P>, Static<Q>, Raw extends true ? Buffer : Static<B>>
  ): Answer<Static<R>>
}

/** A route whose types have been checked and forgotten. */
export type Route = RouteWords & { handle(request: RouteRequest): Answer<unknown> }

/** Declares a route away from where it is registered, so that an area's routes are constants in a list. */
export const defineRoute = <
  P extends TSchema = TUnknown,
  Q extends TSchema = TUnknown,
  B extends TSchema = TUnknown,
  R extends TSchema = TUnknown,
  Raw extends boolean = false
>(
  spec: RouteSpec<P, Q, B, R, Raw>
): Route => spec

/** What OpenAPI says of a raw route; its handler checks for itself. */
export type RawWords = Partial<Pick<RouteWords, 'description' | 'query' | 'body' | 'response'>>
