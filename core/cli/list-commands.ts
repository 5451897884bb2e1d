import { createCommands, type Commands } from '../command.ts'
import { readSettings, type Environment } from '../config.ts'
import { isDatabaseDown, openDatabase } from '../db/database.ts'
import { bootError, errorText } from '../errors.ts'
import { createLifecycle } from '../lifecycle.ts'
import { loadConfigured } from '../load.ts'
import { createLogger } from '../log.ts'
import type { Wiring } from '../plugin-app.ts'
import { registerPlugin } from '../register-plugins.ts'
import { createServices, orderByTokens } from '../services.ts'

const nowhere = { host: '/nowhere', port: 5432, user: 'nobody', database: 'none' }
const asksTooEarly = 'it waits for the database before it has registered its commands'
const noTools = (): Promise<never> => Promise.reject(new Error('no tools here'))
const noQueue = (): Promise<never> => Promise.reject(bootError(asksTooEarly))

/**
 * The commands of every plugin: each registers on an application that keeps commands and services alone, so no database
 * is opened, no route compiled and no job run. Whatever is wrong with a plugin is a note for the help, not an end.
 */
export async function listCommands(
  environment: Environment
): Promise<{ commands: Commands; notes: readonly string[] }> {
  const log = createLogger({ level: 'warn', pretty: process.stderr.isTTY })
  const lifecycle = createLifecycle(log)
  const commands = createCommands()
  const db = openDatabase(nowhere)
  lifecycle.opens('database', () => db.destroy())
  const notes: string[] = []
  const ignore = (): void => {}
  const wiring: Wiring = {
    environment,
    log,
    db,
    openPool: () => openDatabase(nowhere),
    router: { route: ignore, raw: ignore },
    jobs: { define: name => ({ name, enqueue: noQueue, enqueueAll: noQueue }) },
    services: createServices(),
    tools: { register: ignore },
    toolbox: { list: noTools, execute: noTools },
    commands,
    health: { add: ignore },
    lifecycle,
    readyHooks: [],
    events: { emit: noQueue, on: ignore, keep: () => ({ queues: () => [], told: ignore }) },
    statements: { define: () => ({ run: noQueue }) }
  }
  try {
    const plugins = await loadConfigured(readSettings(environment), environment)
    for (const plugin of orderByTokens(plugins))
      await registerPlugin(plugin, wiring).catch((error: unknown) => {
        const reason = isDatabaseDown(error) ? asksTooEarly : errorText(error)
        notes.push(`Plugin '${plugin.id}' could not name all its commands: ${reason}.`)
      })
  } catch (error) {
    notes.push(errorText(error))
  }
  await lifecycle.close()
  return { commands, notes }
}
