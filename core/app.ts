import type { Knex } from 'knex'
import type { TSchema } from 'typebox'
import { createAccess } from './auth/access.ts'
import { authRoutes } from './auth/routes.ts'
import { authMigrations, createAuthStore } from './auth/store.ts'
import { readPluginConfig, type Environment, type Settings } from './config.ts'
import { openDatabase, type Connection } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { bootError, documentErrors, errorText } from './errors.ts'
import { createHealth, type ProbeResult } from './health.ts'
import { createRouter } from './http/router.ts'
import { listen } from './http/server.ts'
import { jobRoutes } from './job-routes.ts'
import { createJobs } from './jobs.ts'
import type { Logger } from './log.ts'
import { createMetrics } from './metrics.ts'
import type { Plugin } from './plugin.ts'
import { createPluginApp, type Subscriptions } from './plugin-app.ts'
import { coreRoutes } from './routes.ts'
import { createServices, orderByTokens } from './services.ts'
import { createToolRegistry } from './tool.ts'

export interface AppOptions {
  readonly settings: Settings
  readonly environment: Environment
  readonly connection: Connection
  readonly plugins: readonly Plugin[]
  readonly log: Logger
  readonly version: string
  /** Fakes by token id, for tests. */
  readonly overrides?: ReadonlyMap<string, unknown>
  readonly validateResponses?: boolean
}

const registerMs = 10_000

/** Builds and starts one application: order → migrate → register → ready → listen. A failed start closes what it opened. */
export async function createApp(options: AppOptions) {
  const { settings, log } = options
  let state: 'starting' | 'ready' | 'closing' = 'starting'
  const opened: { name: string; close: () => Promise<unknown> | unknown }[] = []
  const plugins = orderByTokens(options.plugins, new Set(options.overrides?.keys()))
  const db = openDatabase(options.connection)
  opened.push({ name: 'database', close: () => db.destroy() })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= ((state = 'closing'), closeAll(opened, log)))
  try {
    const migrated = await migrate(db, [{ id: 'core', migrations: authMigrations }, ...plugins])
    if (migrated.length > 0) log.info({ migrated }, 'database brought up to date')
    const metrics = createMetrics()
    const health = createHealth()
    const store = createAuthStore(db)
    const access = createAccess({
      protected: settings.protected,
      ingestSecrets: settings.ingestSecrets,
      publicUrl: settings.publicUrl,
      store
    })
    const router = createRouter({
      access,
      log,
      metrics,
      validateResponses: options.validateResponses ?? !settings.production
    })
    const jobs = createJobs({
      connection: options.connection,
      log,
      worker: settings.worker,
      onFinished: metrics.job
    })
    const services = createServices(options.overrides)
    const tools = createToolRegistry(services)
    health.add('database', { required: true, run: () => takesWrites(db) })
    coreRoutes(router, {
      health,
      metrics,
      errors: documentErrors(plugins),
      version: options.version,
      state: () => state
    })
    authRoutes(router, store, settings)
    jobRoutes(router, db, jobs)
    const hooks: { ready: (() => Promise<void> | void)[] } = { ready: [] }
    const subscriptions: Subscriptions = new Map()
    const timings = await registerAll(plugins, {
      ...options,
      db,
      router,
      jobs,
      services,
      tools,
      health,
      hooks,
      subscriptions,
      opened
    })
    opened.push({ name: 'jobs', close: () => jobs.stop(10_000) })
    await jobs.start()
    for (const hook of hooks.ready) await hook()
    const server = settings.web
      ? await listen(router.application(), settings.host, settings.port)
      : undefined
    if (server) opened.push({ name: 'http', close: () => server.close(5_000) })
    await jobs.work()
    state = 'ready'
    return {
      url: server?.url,
      server: server?.server,
      db,
      jobs,
      router,
      services,
      tools,
      health,
      store,
      metrics,
      timings,
      plugins: plugins.map(plugin => plugin.id),
      settings,
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}
export type App = Awaited<ReturnType<typeof createApp>>

/** Everything the registration of plugins writes to. */
export interface Wiring extends AppOptions {
  readonly db: Knex
  readonly router: ReturnType<typeof createRouter>
  readonly jobs: ReturnType<typeof createJobs>
  readonly services: ReturnType<typeof createServices>
  readonly tools: ReturnType<typeof createToolRegistry>
  readonly health: ReturnType<typeof createHealth>
  readonly hooks: { ready: (() => Promise<void> | void)[] }
  readonly subscriptions: Subscriptions
  readonly opened: { name: string; close: () => Promise<unknown> | unknown }[]
}

async function registerAll(
  plugins: readonly Plugin[],
  wiring: Wiring
): Promise<Record<string, number>> {
  const timings: Record<string, number> = {}
  for (const plugin of plugins) {
    const started = performance.now()
    try {
      await within(
        register(plugin, wiring),
        registerMs,
        `plugin '${plugin.id}' did not register within ${registerMs / 1000} s; register may use the database and nothing else remote`
      )
      const missing = plugin.provides?.find(token => !wiring.services.has(token))
      if (missing)
        throw bootError(`plugin '${plugin.id}' promises '${missing.id}' and did not provide it`)
    } catch (error) {
      if (!plugin.optional) throw error
      wiring.log.error({ error, plugin: plugin.id }, 'optional plugin left out')
      wiring.health.add(`plugin:${plugin.id}`, {
        required: false,
        local: true,
        run: () => Promise.resolve({ ok: false, detail: `left out: ${errorText(error)}` })
      })
    }
    timings[plugin.id] = Math.round(performance.now() - started)
  }
  return timings
}

async function register(plugin: Plugin, wiring: Wiring): Promise<void> {
  const absent = Object.values(plugin.needs ?? {}).find(token => !wiring.services.has(token))
  if (absent)
    throw bootError(`plugin '${plugin.id}' needs '${absent.id}', whose plugin was left out`)
  const config = readPluginConfig(plugin.id, plugin.config, wiring.environment)
  const services = wiring.services.resolve({ ...plugin.needs, ...plugin.wants })
  await plugin.register(
    createPluginApp<TSchema>(plugin, config, wiring) as never,
    services as never
  )
}

async function within<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(bootError(message)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** A database that answers and takes no writes would lose webhooks as surely as one that is away. */
async function takesWrites(db: Knex): Promise<ProbeResult> {
  const {
    rows: [row]
  } = await db.raw("select current_setting('transaction_read_only') = 'off' as ok")
  return row.ok
    ? { ok: true, detail: 'answers and takes writes' }
    : { ok: false, detail: 'answers and is read-only', fix: 'point DATABASE_URL at the primary' }
}

/** What was opened last is closed first; one step that hangs or fails does not keep the others open. */
async function closeAll(
  opened: readonly { name: string; close: () => Promise<unknown> | unknown }[],
  log: Logger
): Promise<void> {
  for (const { name, close } of [...opened].reverse()) {
    await within(Promise.resolve().then(close), 15_000, `closing '${name}' took over 15 s`).catch(
      (error: unknown) => log.error({ error }, `closing '${name}' failed`)
    )
  }
}
