import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, type App } from '../app.ts'
import type { CommandAnswer, CommandContext } from '../command.ts'
import { readSettings } from '../config.ts'
import { openConnection, type OpenConnection } from '../db/open.ts'
import { loadConfigured } from '../load.ts'
import { createLogger } from '../log.ts'
import { version } from '../version.ts'

const graceMs = 5_000

/** Starts the server and says where to look; it ends on a signal, also on one that comes while it starts. */
export async function start(context: CommandContext): Promise<CommandAnswer> {
  const started = performance.now()
  const settings = readSettings(context.environment)
  context.say(`Rayne ${version} is starting …`)
  const log = createLogger({ level: settings.logLevel, pretty: process.stderr.isTTY })
  // PostgreSQL gets up while this process reads its modules.
  const opening = openConnection(settings, log)
  const opened: { close(): Promise<void> }[] = []
  const stopped = stopOf(context.signal)
  try {
    const begin = async (): Promise<{ app: App; database: OpenConnection }> => {
      const [database, plugins] = await Promise.all([
        opening.then(each => (opened.push(each), each)),
        loadConfigured(settings, context.environment)
      ])
      const { connection } = database
      context.signal.throwIfAborted()
      const app = await createApp({ ...context, settings, connection, plugins, log, version })
      opened.push(app)
      context.signal.throwIfAborted()
      return { app, database }
    }
    const { app, database } = await Promise.race([begin(), stopped])
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const timings = Object.entries(app.timings).map(([id, ms]) => `${id} ${ms} ms`)
    context.say(`ready in ${seconds} s (${timings.join(', ')})`)
    return await answer(context, app, database)
  } catch (error) {
    await Promise.race([opening, stopped]).catch(() => {})
    for (const each of opened.reverse()) await each.close()
    throw error
  }
}

/** Fails some time after the signal, when what is under way has not ended by itself and closed what it had opened. */
async function stopOf(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  await sleep(graceMs, undefined, { ref: false })
  throw signal.reason
}

async function answer(
  { say, sayUnmasked }: CommandContext,
  app: App,
  database: OpenConnection
): Promise<CommandAnswer> {
  const { settings, store } = app
  const base = settings.publicUrl ?? app.url ?? '(no listener: RAYNE_ROLE has no web)'
  say(banner(app, base, database.embedded).join('\n'))
  const setup = settings.protected ? await store.setupSecret() : undefined
  if (setup !== undefined) {
    // The link of the first admin is of no use when it is masked.
    sayUnmasked(`  First admin ${base}/setup#${setup}`)
    say('              (this link works once, for an hour)\n')
  }
  // An error nobody caught is a bug; it is told, and the work of others goes on.
  process.on('unhandledRejection', error => {
    say(
      `rayne: an error nobody handled: ${(error instanceof Error && error.stack) || String(error)}`
    )
  })
  // A probe may wait for the outside world, and the server does not.
  void app.health.report().then(checks => {
    for (const { ok, name, detail, fix } of checks)
      say(`  ${ok ? 'ok  ' : 'warn'} ${name.padEnd(12)} ${detail}${ok || !fix ? '' : ` → ${fix}`}`)
  })
  return {
    value: { url: app.url ?? null, plugins: app.plugins, home: settings.home },
    lines: [],
    close: async () => {
      await app.close()
      await database.close()
    }
  }
}

function banner({ settings }: App, base: string, embedded: boolean): string[] {
  const access = settings.protected
    ? 'protected: users, API tokens and ingest secrets'
    : 'local: this machine only, no token needed'
  const where = embedded
    ? `embedded PostgreSQL in ${settings.home}`
    : 'your PostgreSQL (DATABASE_URL)'
  const secret = settings.protected ? " -H 'X-Rayne-Token: <ingest secret>'" : ''
  const post = `curl -sX POST ${base}/v1/webhooks/receive -H 'content-type: application/json'`
  return [
    '',
    `  API         ${base}          docs ${base}/docs`,
    `  Access      ${access}`,
    `  Database    ${where}`,
    '',
    '  Try it:',
    `    ${post}${secret} \\`,
    `      -d '{"monitor_id": 12345678, "monitor_name": "High CPU Alert", "alert_status": "Alert",`,
    `           "hostname": "web-server-01.prod.example.com", "service": "api-gateway"}'`,
    `    curl -s ${base}/v1/rca`,
    ''
  ]
}
