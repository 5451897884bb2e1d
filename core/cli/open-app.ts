import { createApp, type App } from '../app.ts'
import type { CommandContext } from '../command.ts'
import { readSettings } from '../config.ts'
import { openConnection } from '../db/open.ts'
import { loadConfigured } from '../load.ts'
import { createLogger } from '../log.ts'
import type { Plugin } from '../plugin.ts'
import { version } from '../version.ts'

/** Opens the application for one command, beside a running server if there is one; nothing listens, no job runs. */
export async function openApp<T>(
  { environment }: CommandContext,
  use: (app: App) => Promise<T>,
  given?: readonly Plugin[]
): Promise<T> {
  const settings = readSettings(environment)
  const log = createLogger({
    level: environment['RAYNE_LOG_LEVEL'] ?? 'warn',
    pretty: process.stderr.isTTY
  })
  const plugins = given ?? (await loadConfigured(settings, environment))
  const database = await openConnection(settings, log, true)
  try {
    const app = await createApp({
      settings: { ...settings, web: false, worker: false },
      environment,
      connection: database.connection,
      plugins,
      log,
      version
    })
    return await use(app).finally(() => app.close())
  } finally {
    await database.close()
  }
}
