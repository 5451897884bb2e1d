import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { ClientConfig } from 'pg'
import type { Settings } from '../config.ts'
import type { Logger } from '../log.ts'
import { registerSecret } from '../redact.ts'
import { withClient } from './client.ts'
import type { Connection } from './database.ts'
import { bootError } from '../errors.ts'
import { startEmbedded } from '../postgres/embedded.ts'
import { tryServer } from './try-server.ts'

export interface OpenConnection {
  readonly connection: Connection
  readonly embedded: boolean
  close(): Promise<void>
}

/**
 * The database of these settings: a real server, or the embedded one, started here. With `attach` a running server's
 * embedded database is used beside it, and none is made where there was none: a command in the wrong folder says so.
 */
export async function openConnection(
  settings: Settings,
  log: Logger,
  attach = false
): Promise<OpenConnection> {
  if (settings.databaseUrl) {
    await tryServer(settings.databaseUrl)
    return {
      connection: { connectionString: settings.databaseUrl },
      embedded: false,
      close: () => Promise.resolve()
    }
  }
  const file = path.join(settings.home, 'database.json')
  const running = attach ? await runningConnection(file) : undefined
  if (running) return { connection: running, embedded: true, close: () => Promise.resolve() }
  if (attach && !existsSync(path.join(settings.home, 'postgres', 'data')))
    throw bootError(
      `there is no database in '${settings.home}': \`rayne start\` makes one, ` +
        'RAYNE_HOME names the folder of another, DATABASE_URL a PostgreSQL of yours'
    )
  const database = await startEmbedded({ home: settings.home, log: line => log.info(line) })
  registerSecret(database.connection.password)
  // The private cluster has no TLS, whatever PGSSLMODE says of others.
  const connection = { ...database.connection, ssl: false } as const
  writeFileSync(file, JSON.stringify(connection), { mode: 0o600 })
  chmodSync(file, 0o600)
  return {
    connection,
    embedded: true,
    async close() {
      rmSync(file, { force: true })
      await database.stop()
    }
  }
}

async function runningConnection(file: string): Promise<Connection | undefined> {
  try {
    const connection = JSON.parse(readFileSync(file, 'utf8')) as ClientConfig & Connection
    await withClient(connection, async () => {})
    registerSecret(typeof connection.password === 'string' ? connection.password : undefined)
    return connection
  } catch {
    return undefined
  }
}
