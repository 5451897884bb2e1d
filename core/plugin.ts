import type { Knex } from 'knex'
import type { IncomingHttpHeaders } from 'node:http'
import type { Static, TObject, TSchema, TUnknown } from 'typebox'
import type { AuthClass, Principal } from './auth/principal.ts'
import type { ErrorTable } from './errors.ts'
import type { EventType } from './events.ts'
import type { RawHandler } from './http/router.ts'
import type { Probe } from './health.ts'
import type { JobContext, JobHandle, JobSpec } from './jobs.ts'
import type { Logger } from './log.ts'
import type { Resolved, Token, Tokens } from './services.ts'
import type { Tool } from './tool.ts'

/** One step of a plugin's schema; `name` is `0001_<what>` and never changes once released. */
export interface Migration {
  readonly name: string
  up(trx: Knex.Transaction): Promise<unknown>
}

/** The data a route handler sees; nothing of the HTTP library. */
export interface RouteRequest<P = unknown, Q = unknown, B = unknown> {
  readonly params: P
  readonly query: Q
  /** The validated body, or the raw bytes of a `rawBody` route. */
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

/** One HTTP operation: schemas in, data out. It becomes routing, validation, access control and OpenAPI. */
export interface RouteSpec<
  P extends TSchema = TUnknown,
  Q extends TSchema = TUnknown,
  B extends TSchema = TUnknown,
  R extends TSchema = TUnknown
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
  /** Hand the handler the undecoded bytes (a Buffer); nothing is refused for its shape. */
  readonly rawBody?: boolean
  /** Bytes after decompression; default 1 MB. */
  readonly bodyLimit?: number
  readonly response: R
  /** Success status, default 200. */
  readonly status?: number
  /** Other statuses the handler may `reply()` with, and what they mean. */
  readonly also?: Readonly<Record<number, string>>
  handle(
    request: RouteRequest<Static<P>, Static<Q>, Static<B>>
  ): Promise<Static<R> | Reply<Static<R>>> | Static<R> | Reply<Static<R>>
}

/** What OpenAPI says of a raw route; its handler checks for itself. */
export type RawWords = Partial<
  Pick<RouteSpec<TSchema, TSchema, TSchema, TSchema>, 'description' | 'query' | 'body' | 'response'>
>

/** Everything one plugin can see of the platform. */
export interface PluginApp<C> {
  readonly config: C
  readonly log: Logger
  readonly db: Knex
  provide<T>(token: Token<T>, service: T): void
  route<
    P extends TSchema = TUnknown,
    Q extends TSchema = TUnknown,
    B extends TSchema = TUnknown,
    R extends TSchema = TUnknown
  >(
    spec: RouteSpec<P, Q, B, R>
  ): void
  /** The escape hatch for streams and proxies; method `*` is every one that is not registered before it. Each use is listed by name in the architecture test. */
  raw(
    method: string,
    path: string,
    options: { summary: string; auth: AuthClass; about?: RawWords },
    handler: RawHandler
  ): void
  job<S extends TSchema>(name: string, spec: JobSpec<S>): JobHandle<Static<S>>
  /** Cron in five fields, UTC. Runs once per tick over all processes. */
  schedule(name: string, cron: string, run: (context: JobContext) => Promise<void>): void
  /** Puts one job per subscriber into the caller's transaction: roll back and nothing happened. */
  emit<S extends TSchema>(
    trx: Knex.Transaction,
    event: EventType<S>,
    ...payloads: readonly Static<S>[]
  ): Promise<void>
  /** Durable, retried, at least once: handlers are idempotent. */
  on<S extends TSchema>(
    event: EventType<S>,
    handler: (payload: Static<S>, context: JobContext) => Promise<void>
  ): void
  tool(definition: Tool): void
  /** Joins `/readyz` and `rayne doctor`. */
  check(name: string, probe: Probe): void
  onReady(hook: () => Promise<void> | void): void
  onClose(hook: () => Promise<void> | void): void
}

export interface PluginSpec<
  C extends TObject = TObject,
  N extends Tokens = Tokens,
  W extends Tokens = Tokens
> {
  /** kebab-case, equal to the folder's name. */
  readonly id: string
  readonly version: string
  /** Settings, read from `RAYNE_<PLUGIN>_<KEY>`; secrets are marked `writeOnly`. */
  readonly config?: C
  /** Its error codes, made by `defineErrors`: callers find them in `/openapi.json`. */
  readonly errors?: ErrorTable
  readonly needs?: N
  readonly wants?: W
  readonly provides?: readonly Token<unknown>[]
  readonly migrations?: readonly Migration[]
  /** Default `/v1/<id>`. */
  readonly prefix?: `/${string}`
  /** Left out and reported in `/readyz` when it fails to start, instead of aborting the boot. */
  readonly optional?: boolean
  register(
    app: PluginApp<Static<C>>,
    services: Resolved<N> & Partial<Resolved<W>>
  ): Promise<void> | void
}

/** A plugin whose types have been checked and forgotten, as the loader holds it. */
export type Plugin = Omit<PluginSpec, 'register'> & {
  register(app: PluginApp<never>, services: never): Promise<void> | void
}

/** Declares a plugin; the result is what `plugin.ts` exports by default. */
export function definePlugin<
  C extends TObject = TObject,
  N extends Tokens = Record<never, never>,
  W extends Tokens = Record<never, never>
>(spec: PluginSpec<C, N, W>): Plugin {
  return spec as unknown as Plugin
}
