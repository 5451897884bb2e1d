import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { bootError, errorCode, errorText, RayneError } from '../errors.ts'
import { nextStep, openCluster, superuser, type Cluster, type ServerConnection } from './cluster.ts'
import { launch, rotate, running, stopChild } from './launch.ts'

/** The private PostgreSQL of one folder, as it runs. */
export interface EmbeddedDatabase {
  readonly connection: ServerConnection
  /** The server's process; another one after a crash it was started again from. */
  readonly pid: number
  stop(): Promise<void>
}

interface Options {
  readonly home: string
  readonly log: (line: string) => void
  readonly database?: string
}

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
      user: superuser,
      password: cluster.password,
      database: options.database ?? 'rayne'
    }
    return await supervise(cluster, connection, options.log, release)
  } catch (error) {
    release?.()
    throw explain(error, home)
  }
}

/** A lock the kernel drops with the process, SQLite's: neither kill -9 nor a reused pid fools it. */
function lockHome(home: string): () => void {
  if (mkdirSync(home, { recursive: true }) && process.getuid?.() === 0) chmodSync(home, 0o711)
  const pidFile = join(home, 'rayne.pid')
  writeFileSync(join(home, 'rayne.lock'), '', { flag: 'a', mode: 0o600 })
  // ms; a process killed just now may still be going
  const lock = new DatabaseSync(join(home, 'rayne.lock'), { timeout: 300 })
  try {
    lock.exec('begin exclusive')
  } catch (cause) {
    lock.close()
    if ((cause as { errcode?: number }).errcode !== 5)
      throw bootError(
        `cannot lock '${home}' (${errorText(cause)}): use a local disk, or ${nextStep}`,
        cause
      )
    const pid = existsSync(pidFile) ? ` (pid ${readFileSync(pidFile, 'utf8').trim()})` : ''
    throw bootError(
      `another rayne${pid} is using '${home}'; ` +
        'stop it, or set RAYNE_HOME to another folder or DATABASE_URL to a shared database'
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
    return bootError(`the disk of '${home}' is full: make room, or ${nextStep}`, error)
  if (error instanceof RayneError) return error
  // ENOENT: what Node makes of a read-only parent when it creates folders on the way
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'].includes(errorCode(error) ?? ''))
    return bootError(
      `cannot write to '${home}' (${errorText(error)}): make it writable, or ${nextStep}`,
      error
    )
  return bootError(`cannot start the embedded PostgreSQL in '${home}': ${errorText(error)}`, error)
}

/** Keeps one server running until it is stopped; a server that dies is started again in the same place. */
async function supervise(
  cluster: Cluster,
  connection: ServerConnection,
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
      // A server that has answered has one.
      return Number(child.pid)
    },
    stop: () => (stopping ??= stop())
  }
}
