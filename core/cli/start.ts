import { createApp, type App } from '../app.ts'
import { readSettings } from '../config.ts'
import { openConnection, type OpenConnection } from '../db/open.ts'
import { version } from '../version.ts'
import { load, say, sayUnmasked } from './context.ts'

/** Starts the server, says where to look, and closes in reverse on SIGTERM or SIGINT. */
export async function start(): Promise<void> {
  const started = performance.now()
  readSettings(process.env)
  say(`Rayne ${version} is starting …`)
  const { settings, log, plugins } = await load()
  const database = await openConnection(settings, log)
  let app: App
  try {
    app = await createApp({
      settings,
      environment: process.env,
      connection: database.connection,
      plugins,
      log,
      version
    })
  } catch (error) {
    await database.close()
    throw error
  }
  closeOnSignal(app, database)
  say(
    `ready in ${((performance.now() - started) / 1000).toFixed(1)} s (${Object.entries(app.timings)
      .map(([id, ms]) => `${id} ${ms} ms`)
      .join(', ')})`
  )
  for (const line of banner(app, database)) say(line)
  await offerFirstAdmin(app)
  // Asked last: a probe may wait for the outside world, and the server does not.
  for (const check of await app.health.report())
    say(
      `  ${check.ok ? 'ok  ' : 'warn'} ${check.name.padEnd(12)} ${check.detail}${check.ok || !check.fix ? '' : ` → ${check.fix}`}`
    )
}

const addressOf = ({ settings, url }: App): string =>
  settings.publicUrl ?? url ?? '(no listener: RAYNE_ROLE has no web)'

/** Protected mode without a user: the one-time link that makes the first admin. */
async function offerFirstAdmin(app: App): Promise<void> {
  const setup = app.settings.protected ? await app.store.setupSecret() : undefined
  if (setup === undefined) return
  sayUnmasked(`  First admin ${addressOf(app)}/setup#${setup}`)
  say('              (this link works once, for an hour)\n')
}

function banner(app: App, database: OpenConnection): string[] {
  const { settings } = app
  const base = addressOf(app)
  return [
    '',
    `  API         ${base}          docs ${base}/docs`,
    `  Access      ${settings.protected ? 'protected: users, API tokens and ingest secrets' : 'local: this machine only, no token needed'}`,
    `  Database    ${database.embedded ? `embedded PostgreSQL in ${settings.home}` : 'your PostgreSQL (DATABASE_URL)'}`,
    '',
    '  Try it:',
    `    curl -sX POST ${base}/v1/webhooks/receive -H 'content-type: application/json'${settings.protected ? " -H 'X-Rayne-Token: <ingest secret>'" : ''} \\`,
    `      -d '{"monitor_id": 12345678, "monitor_name": "High CPU Alert", "alert_status": "Alert", "hostname": "web-server-01.prod.example.com", "service": "api-gateway"}'`,
    `    curl -s ${base}/v1/rca`,
    ''
  ]
}

function closeOnSignal(app: App, database: OpenConnection): void {
  let closing = false
  const close = (signal: string): void => {
    if (closing) {
      say('closing now')
      process.exit(1)
    }
    closing = true
    say(`${signal}: finishing what is under way (again to stop at once)`)
    void app
      .close()
      .then(() => database.close())
      .then(() => {
        process.exitCode = 0
        setTimeout(() => process.exit(0), 1_000).unref()
      })
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => close(signal))
  // An error nobody caught is a bug; it is told, and the work of others goes on.
  process.on('unhandledRejection', error => {
    say(
      `rayne: an error nobody handled: ${error instanceof Error ? (error.stack ?? '') : String(error)}`
    )
  })
}
