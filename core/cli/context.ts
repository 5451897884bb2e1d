import { createApp, type App } from '../app.ts'
import { readSettings, type Settings } from '../config.ts'
import { openConnection } from '../db/open.ts'
import { RayneError } from '../errors.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createLogger, type Logger } from '../log.ts'
import { redact } from '../redact.ts'
import type { Plugin } from '../plugin.ts'
import { version } from '../version.ts'

/** A line for a person on stderr; stdout is the command's answer. */
export const say = (line: string): void => {
  process.stderr.write(`${redact(line)}\n`)
}
/** Past the redaction, on purpose: the link of the first admin is of no use when it is masked. */
export const sayUnmasked = (line: string): void => {
  process.stderr.write(`${line}\n`)
}
/** The command's answer: JSON for programs, lines for people. */
export const answer = (json: boolean, value: unknown, lines: readonly string[]): void => {
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${lines.join('\n')}\n`)
}

export interface Loaded {
  readonly settings: Settings
  readonly log: Logger
  readonly plugins: Plugin[]
}

export async function load(overrides: Record<string, string> = {}): Promise<Loaded> {
  const environment = { ...process.env, ...overrides }
  const settings = readSettings(environment)
  const log = createLogger({ level: settings.logLevel, pretty: process.stderr.isTTY })
  const names = settings.plugins ?? builtInPlugins()
  return { settings, log, plugins: await loadPlugins(names) }
}

/** Runs a command against the database of a running server, or one opened for the command alone; nothing listens and no job runs. */
export async function withApp<T>(run: (app: App) => Promise<T>): Promise<T> {
  const { settings, log, plugins } = await load({
    RAYNE_LOG_LEVEL: process.env['RAYNE_LOG_LEVEL'] ?? 'warn'
  })
  const database = await openConnection(settings, log, true)
  try {
    const app = await createApp({
      settings: { ...settings, web: false, worker: false },
      environment: process.env,
      connection: database.connection,
      plugins,
      log,
      version
    })
    try {
      return await run(app)
    } finally {
      await app.close()
    }
  } finally {
    await database.close()
  }
}

/** Runs a command and turns an error into one sentence and exit code 1. */
export const command =
  <A extends unknown[]>(run: (...args: A) => Promise<void>) =>
  async (...args: A): Promise<void> => {
    try {
      await run(...args)
    } catch (error) {
      if (error instanceof RayneError) say(`rayne: ${error.message}`)
      else say(`rayne: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      process.exitCode = 1
    }
  }
