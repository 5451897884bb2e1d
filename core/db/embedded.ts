import { type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { bootError, errorCode, errorText, RayneError } from '../errors.ts'
import { end, leftovers, openCluster, SUPERUSER, tail, type Cluster } from './cluster.ts'

export interface EmbeddedDatabase {
  /** `host` is a socket folder, or 127.0.0.1 where the platform has no Unix sockets. */
  readonly connection: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly password: string
    readonly database: string
  }
  /** The server's process; another one after a crash it was started again from. */
  readonly pid: number
  stop(): Promise<void>
}

interface Options {
  readonly home: string
  readonly log: (line: string) => void
  readonly database?: string
}
type Connection = EmbeddedDatabase['connection']

const LOG_BYTES = 10 * 1024 * 1024
const READY_MS = 60_000
const NEXT_STEP = 'set RAYNE_HOME to another folder or DATABASE_URL to a PostgreSQL of your own'

/** Starts the private cluster in `<home>/postgres`, first stopping a server an earlier run left behind. */
export async function startEmbedded(options: Options): Promise<EmbeddedDatabase> {
  const home = resolve(options.home)
  let release: (() => void) | undefined
  try {
    release = lockHome(home)
    const cluster = await openCluster(home, options.log)
    const windows = process.platform === 'win32'
    const connection = {
      host: windows ? '127.0.0.1' : cluster.sockets,
      port: windows ? await freePort() : 5432,
      user: SUPERUSER,
      password: cluster.password,
      database: options.database ?? 'rayne'
    }
    return await supervise(cluster, connection, options.log, release)
  } catch (error) {
    release?.()
    throw explain(error, home)
  }
}

/** A lock the kernel drops with the process (SQLite's, so the same on every platform): neither kill -9 nor a reused pid fools it. */
function lockHome(home: string): () => void {
  if (mkdirSync(home, { recursive: true }) && process.getuid?.() === 0) chmodSync(home, 0o711)
  const pidFile = join(home, 'rayne.pid')
  writeFileSync(join(home, 'rayne.lock'), '', { flag: 'a', mode: 0o600 })
  const lock = new DatabaseSync(join(home, 'rayne.lock'), { timeout: 300 }) // ms; a process killed just now may still be going
  try {
    lock.exec('begin exclusive')
  } catch (cause) {
    lock.close()
    if ((cause as { errcode?: number }).errcode !== 5)
      throw bootError(
        `cannot lock '${home}' (${errorText(cause)}): use a local disk, or ${NEXT_STEP}`,
        cause
      )
    const pid = existsSync(pidFile) ? ` (pid ${readFileSync(pidFile, 'utf8').trim()})` : ''
    throw bootError(
      `another rayne${pid} is using '${home}'; stop it, or set RAYNE_HOME to another folder or DATABASE_URL to a shared database`
    )
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return () => {
    if (!lock.isOpen) return
    rmSync(pidFile, { force: true })
    lock.close()
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise(done => server.close(done))
  return port
}

function explain(error: unknown, home: string): RayneError {
  if (/ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/.test(errorText(error)))
    return bootError(`the disk of '${home}' is full: make room, or ${NEXT_STEP}`, error)
  if (error instanceof RayneError) return error
  // ENOENT: what Node makes of a read-only parent when it creates folders on the way
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'].includes(errorCode(error) ?? ''))
    return bootError(
      `cannot write to '${home}' (${errorText(error)}): make it writable, or ${NEXT_STEP}`,
      error
    )
  return bootError(`cannot start the embedded PostgreSQL in '${home}': ${errorText(error)}`, error)
}

/** Keeps one server running until it is stopped; a server that dies is started again in the same place. */
async function supervise(
  cluster: Cluster,
  connection: Connection,
  log: Options['log'],
  release: () => void
): Promise<EmbeddedDatabase> {
  let child = await launch(cluster, connection, log)
  let stopping: Promise<void> | undefined
  let restarting: Promise<void> | undefined
  const quit = new AbortController()
  const watch = (): void => {
    child.once('exit', (code, signal) => {
      if (stopping) return
      log(`PostgreSQL ended by itself (${signal ?? code}); starting it again`)
      restarting = restart()
    })
    child.unref()
  }
  const restart = async (): Promise<void> => {
    for (let wait = 500; !stopping; wait = Math.min(wait * 2, 30_000)) {
      try {
        child = await launch(cluster, connection, log)
        return watch()
      } catch (error) {
        log(errorText(error))
      }
      await sleep(wait, undefined, { ref: false, signal: quit.signal }).catch(() => {})
    }
  }
  watch()
  const onExit = (): void => running(child).forEach(pid => cluster.signal(pid, 'SIGINT'))
  const rotation = setInterval(() => rotate(cluster.logFile), 600_000).unref()
  process.on('exit', onExit)
  const stop = async (): Promise<void> => {
    quit.abort()
    await restarting
    await stopChild(child, cluster)
    rmSync(cluster.sockets, { recursive: true, force: true })
    clearInterval(rotation)
    process.off('exit', onExit)
    release()
  }
  return {
    connection,
    get pid() {
      return child.pid!
    },
    stop: () => (stopping ??= stop())
  }
}

const running = (child: ChildProcess): number[] =>
  child.exitCode === null && child.signalCode === null && child.pid !== undefined ? [child.pid] : []
const stopChild = (child: ChildProcess, cluster: Cluster): Promise<boolean> =>
  end(() => running(child), cluster.signal)

async function launch(
  cluster: Cluster,
  connection: Connection,
  log: Options['log']
): Promise<ChildProcess> {
  rotate(cluster.logFile)
  await clear(cluster, connection, log)
  const offset = statSync(cluster.logFile).size
  const tcp = connection.host === '127.0.0.1'
  const settings = {
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
  const child = cluster.run('postgres', [
    '-D',
    cluster.data,
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
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
      `the embedded PostgreSQL did not start: ${errorText(error)}; ${NEXT_STEP}. ${tail(cluster.logFile, offset)}`,
      error
    )
  }
}

/** Waits until the server takes connections and has the database; a crash's recovery may take a while. */
async function ready(
  connection: Connection,
  log: Options['log'],
  ended: () => string | undefined
): Promise<void> {
  const started = Date.now()
  for (let told = started; ;) {
    const reason = ended()
    if (reason) throw new Error(reason)
    const client = new Client({
      ...connection,
      database: 'postgres',
      ssl: false,
      connectionTimeoutMillis: 2000
    })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rowCount } = await client.query('select from pg_database where datname = $1', [
        connection.database
      ])
      if (!rowCount)
        await client.query(`create database ${client.escapeIdentifier(connection.database)}`)
      return
    } catch (error) {
      if (/^(28|42|53)/.test(errorCode(error) ?? '') || Date.now() - started > READY_MS) throw error
      if (Date.now() - told > 5000) {
        told = Date.now()
        log(`waiting for the embedded PostgreSQL: ${errorText(error)}`)
      }
    } finally {
      await client.end().catch(() => {})
    }
    await sleep(20)
  }
}

/** Ends what an earlier run left behind and drops its pid file, which a reused pid would turn into a refusal. */
async function clear(cluster: Cluster, connection: Connection, log: Options['log']): Promise<void> {
  const pidFile = join(cluster.data, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const [pid, , , port, folder, host] = readFileSync(pidFile, 'utf8').split('\n')
  const linux = process.platform === 'linux'
  const orphans = linux
    ? () => leftovers(cluster.data)
    : await answering(Number(pid), {
        ...connection,
        host: folder || host || '',
        port: Number(port)
      })
  if (orphans().length) {
    log(`stopping the PostgreSQL (pid ${pid}) an earlier run left behind`)
    await end(() => orphans().filter(p => p === Number(pid)), cluster.signal)
    if (!(await end(orphans, cluster.signal)))
      throw bootError(
        `the PostgreSQL an earlier run left behind (pid ${orphans().join(', ')}) does not end: stop it, then start again`
      )
  }
  if (linux || isAlive(Number(pid))) rmSync(pidFile, { force: true })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** Without /proc, a server is ours when it answers where the pid file says: its folder, or its password, is private. */
async function answering(pid: number, connection: Connection): Promise<() => number[]> {
  const client = new Client({
    ...connection,
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 2000
  })
  client.on('error', () => {})
  const ours = await client.connect().then(
    () => true,
    error => !['ECONNREFUSED', 'ENOENT'].includes(errorCode(error) ?? '')
  )
  await client.end().catch(() => {})
  return () => (ours && isAlive(pid) ? [pid] : [])
}

/** The server keeps its log open for appending, so it is copied and cut, not moved. */
function rotate(file: string): void {
  closeSync(openSync(file, 'a', 0o600))
  if (statSync(file).size < LOG_BYTES) return
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
}
