import type { Knex } from 'knex'
import type { Static, TObject, TSchema, TUnknown } from 'typebox'
import type { CommandSpec, NoFields } from './command.ts'
import type { Migration } from './db/migrate.ts'
import type { Statement } from './db/statements.ts'
import type { ErrorTable } from './errors.ts'
import type { EventType, KeptEvent, ReadEvents } from './events.ts'
import type { Probe } from './health.ts'
import type { JobHandle } from './jobs.ts'
import type { JobContext, JobSpec } from './run-job.ts'
import type { Logger } from './log.ts'
import type { Operation, RawHandler } from './http/operation.ts'
import type { RouteSpec } from './route.ts'
import type { Resolved, Token, Tokens } from './services.ts'
import type { Tool, Toolbox } from './tool.ts'

/** Everything one plugin can see of the platform. */
export interface PluginApp<C> {
  readonly config: C
  readonly log: Logger
  readonly db: Knex
  /**
   * Another pool of so many connections at most, closed with the plugin: one kind of work cannot keep
   * another from the database.
   */
  pool(maxConnections: number): Knex
  /** A statement past the query builder, by a name of its own: for what is run thousands of times a second. */
  statement(name: string, text: string): Statement
  provide<T>(token: Token<T>, service: T): void
  route<
    P extends TSchema = TUnknown,
    Q extends TSchema = TUnknown,
    B extends TSchema = TUnknown,
    R extends TSchema = TUnknown,
    Raw extends boolean = false
  >(
    spec: RouteSpec<P, Q, B, R, Raw>
  ): void
  /**
   * The escape hatch for streams and proxies; method `*` is every one that is not registered before it.
   * Each use is listed by name in the test of the routes.
   */
  raw(
    method: string,
    path: string,
    options: Pick<Operation, 'summary' | 'auth' | 'about' | 'challenge'>,
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
  /**
   * Says that this plugin keeps an event as rows: jobs carry their ids, and `read` gives the payloads back. One that a
   * subscriber fails at is tried again by itself.
   */
  keep<S extends TSchema>(event: EventType<S>, read: ReadEvents<Static<S>>): KeptEvent
  tool(definition: Tool): void
  /** All tools, of plugins and of `tools/`. */
  readonly toolbox: Toolbox
  /** Joins `/readyz` and `rayne doctor`. */
  check(name: string, probe: Probe): void
  /**
   * `rayne <name>`. The command line registers plugins without a database to learn their commands, so this comes before
   * anything of `register` that waits for one.
   */
  command<A extends TObject = NoFields, O extends TObject = NoFields>(spec: CommandSpec<A, O>): void
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
  register(app: PluginApp<unknown>, services: unknown): Promise<void> | void
}

/** Declares a plugin; the result is what `plugin.ts` exports by default. */
export const definePlugin = <
  C extends TObject = TObject,
  N extends Tokens = Record<never, never>,
  W extends Tokens = Record<never, never>
>(
  spec: PluginSpec<C, N, W>
): Plugin => spec
