import type { ChildProcess } from 'node:child_process'
import { closeSync, copyFileSync, openSync, statSync, truncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { withClient, type Client } from '../db/client.ts'
import { bootError, errorCode, errorText } from '../errors.ts'
import { nextStep, tail, type Cluster, type ServerConnection } from './cluster.ts'
import { clear, end } from './leftovers.ts'

const maxLogBytes = 10 * 1024 * 1024
const readyMs = 60_000

/** The pid of a process that has not ended. */
export const running = (child: ChildProcess): number[] =>
  child.exitCode === null && child.signalCode === null && child.pid !== undefined ? [child.pid] : []
/** Ends the server, and says whether it is gone. */
export const stopChild = (child: ChildProcess, cluster: Cluster): Promise<boolean> =>
  end(() => running(child), cluster.signal)

/** Durable before fast, and quiet: nobody looks at this server but the application. */
function settingsOf(cluster: Cluster, connection: ServerConnection) {
  const tcp = connection.host === '127.0.0.1'
  return {
    listen_addresses: tcp ? connection.host : '',
    port: connection.port,
    unix_socket_directories: tcp ? '' : `"${cluster.sockets.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    wal_compression: 'on',
    shared_buffers: '128MB',
    max_connections: 100,
    jit: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC'
  }
}

/** Starts the server and waits until it takes connections; what an earlier run left is ended first. */
export async function launch(
  cluster: Cluster,
  connection: ServerConnection,
  log: (line: string) => void
): Promise<ChildProcess> {
  rotate(cluster.logFile)
  await clear(cluster, connection, log)
  const offset = statSync(cluster.logFile).size
  const child = cluster.run('postgres', [
    '-D',
    cluster.data,
    ...Object.entries(settingsOf(cluster, connection)).flatMap(([key, value]) => [
      '-c',
      `${key}=${value}`
    ])
  ])
  let failure: Error | undefined
  child.once('error', error => {
    failure = error
  })
  try {
    await ready(
      connection,
      log,
      () =>
        failure?.message ??
        (running(child).length ? undefined : `it ended (${child.signalCode ?? child.exitCode})`)
    )
    return child
  } catch (error) {
    await stopChild(child, cluster)
    throw bootError(
      `the embedded PostgreSQL did not start: ${errorText(error)}; ${nextStep}. ${tail(cluster.logFile, offset)}`,
      error
    )
  }
}

/** Waits until the server takes connections and has the database; a crash's recovery may take a while. */
async function ready(
  connection: ServerConnection,
  log: (line: string) => void,
  ended: () => string | undefined
): Promise<void> {
  const started = Date.now()
  for (let told = started; ;) {
    const reason = ended()
    if (reason) throw new Error(reason)
    try {
      await withClient({ ...connection, database: 'postgres', ssl: false }, client =>
        ensureDatabase(client, connection.database)
      )
      return
    } catch (error) {
      if (/^(28|42|53)/.test(errorCode(error) ?? '') || Date.now() - started > readyMs) throw error
      if (Date.now() - told > 5_000) {
        told = Date.now()
        log(`waiting for the embedded PostgreSQL: ${errorText(error)}`)
      }
    }
    await sleep(20)
  }
}

async function ensureDatabase(client: Client, name: string): Promise<void> {
  const found = await client.query('select from pg_database where datname = $1', [name])
  if (!found.rowCount) await client.query(`create database ${client.escapeIdentifier(name)}`)
}

/** The server keeps its log open for appending, so it is copied and cut, not moved. */
export function rotate(file: string): void {
  closeSync(openSync(file, 'a', 0o600))
  if (statSync(file).size < maxLogBytes) return
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
}
