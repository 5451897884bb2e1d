import type { Knex } from 'knex'
import { auditMigrations } from './audit/migrations.ts'
import { auditRoute } from './audit/routes.ts'
import { createAudit } from './audit/store.ts'
import { createAccess } from './auth/access.ts'
import { authRoutes } from './auth/routes.ts'
import { authMigrations } from './auth/migrations.ts'
import { createAuthStore } from './auth/store.ts'
import { createCommands } from './command.ts'
import type { Environment, Settings } from './config.ts'
import { openDatabase, takesWrites, type Connection } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { createStatements } from './db/statements.ts'
import { documentErrors } from './errors.ts'
import { eventMigrations } from './event-migrations.ts'
import { createEvents } from './events.ts'
import { createHealth } from './health.ts'
import { createIsTrusted, createPeerOf } from './http/peer.ts'
import { createRouter } from './http/router.ts'
import { createDoor, listen } from './http/server.ts'
import { jobRoutes } from './job-routes.ts'
import { createJobs } from './jobs.ts'
import { createLifecycle, type Lifecycle } from './lifecycle.ts'
import type { Logger } from './log.ts'
import { createMetrics } from './metrics.ts'
import type { Plugin } from './plugin.ts'
import type { Wiring } from './plugin-app.ts'
import { registerPlugins } from './register-plugins.ts'
import { coreRoutes } from './routes.ts'
import { createServices, orderByTokens } from './services.ts'
import { createToolRegistry } from './tool.ts'
import { createToolbox } from './tool-folder.ts'

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

/**
 * Builds and starts one application: order → migrate → register → ready → listen.
 * A failed start closes what it opened.
 */
export async function createApp(options: AppOptions) {
  const lifecycle = createLifecycle(options.log)
  const plugins = orderByTokens(options.plugins, new Set(options.overrides?.keys()))
  const db = openDatabase(options.connection)
  lifecycle.opens('database', () => db.destroy())
  try {
    const migrated = await migrate(db, [
      { id: 'core', migrations: [...authMigrations, ...eventMigrations, ...auditMigrations] },
      ...plugins
    ])
    if (migrated.length > 0) options.log.info({ migrated }, 'database brought up to date')
    const parts = assemble(options, db, lifecycle)
    addCoreRoutes(parts, options, plugins)
    const timings = await registerPlugins(plugins, parts)
    const server = await begin(parts, options.settings)
    return {
      ...parts,
      url: server?.url,
      server: server?.server,
      timings,
      plugins: plugins.map(plugin => plugin.id),
      settings: options.settings,
      close: lifecycle.close
    }
  } catch (error) {
    await lifecycle.close()
    throw error
  }
}
export type App = Awaited<ReturnType<typeof createApp>>

/** The parts of an application, none of them at work yet. */
function assemble(options: AppOptions, db: Knex, lifecycle: Lifecycle) {
  const { settings, log, environment } = options
  const metrics = createMetrics()
  const store = createAuthStore(db)
  const access = createAccess({ ...settings, store })
  const audit = createAudit(db, log)
  const router = createRouter({
    access,
    audit,
    allowedOrigins: settings.allowedOrigins,
    log,
    metrics,
    peerOf: createPeerOf(settings.trustedProxies),
    validateResponses: options.validateResponses ?? !settings.production
  })
  const jobs = createJobs({
    connection: options.connection,
    log,
    worker: settings.worker,
    onFinished: metrics.job
  })
  const statements = createStatements(options.connection)
  lifecycle.opens('statements', statements.close)
  const services = createServices(options.overrides)
  const tools = createToolRegistry(services)
  const wiring = {
    environment,
    log,
    db,
    openPool: maxConnections => openDatabase(options.connection, maxConnections),
    router,
    jobs,
    services,
    tools,
    toolbox: createToolbox(tools, services),
    commands: createCommands(),
    health: createHealth(),
    lifecycle,
    readyHooks: [] as (() => Promise<void> | void)[],
    events: createEvents(jobs, db, statements),
    statements
  } satisfies Wiring
  lifecycle.opens('audit', () => audit.idle())
  return { ...wiring, metrics, store, audit }
}
type Parts = ReturnType<typeof assemble>

function addCoreRoutes(
  parts: Parts,
  { settings, version }: AppOptions,
  plugins: readonly Plugin[]
): void {
  const { router, health, metrics, store, db, jobs, lifecycle } = parts
  const errors = documentErrors(plugins)
  health.add('database', { required: true, run: () => takesWrites(db) })
  coreRoutes(router, { health, metrics, errors, version, state: lifecycle.state })
  authRoutes(router, store, settings, parts.audit)
  router.route('core', '', auditRoute(parts.audit))
  jobRoutes(router, db, jobs)
}

/** Starts what was registered: the queue, what plugins do when ready, the listener, and then the jobs. */
async function begin({ jobs, router, lifecycle, readyHooks }: Parts, settings: Settings) {
  lifecycle.opens('jobs', () => jobs.stop(10_000))
  await jobs.start()
  for (const hook of readyHooks) await hook()
  const isTrusted = createIsTrusted(settings.trustedProxies)
  const door = createDoor(settings.addressConnections, isTrusted)
  const server = settings.web
    ? await listen(router.listener(), settings.host, settings.port, door)
    : undefined
  if (server) lifecycle.opens('http', () => server.close(5_000))
  await jobs.work()
  lifecycle.ready()
  return server
}
