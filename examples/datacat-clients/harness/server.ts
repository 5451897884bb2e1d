import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { killTree } from './processes.ts'

/** A datacat server that keeps its port and its data while it is killed and started again. */
export interface Server {
  readonly url: string
  /** Resolves when it is ready; rejects with what it said when it does not get there. */
  start(): Promise<void>
  /** SIGKILL for it and its PostgreSQL. */
  kill(): Promise<void>
  /** Ends it in order and removes its folder. */
  remove(): Promise<void>
}

const readyMs = 90_000
const command = fileURLToPath(new URL('bin.js', import.meta.resolve('rayne')))

/** Nothing of this machine's own settings reaches the server. */
const environment = (home: string, port: number): NodeJS.ProcessEnv => {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'].flatMap(name =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]]
  )
  return {
    ...(Object.fromEntries(kept) as NodeJS.ProcessEnv),
    HOST: '127.0.0.1',
    PORT: String(port),
    RAYNE_HOME: home,
    RAYNE_PLUGINS: 'datacat',
    RAYNE_LOG_LEVEL: 'warn'
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A server of its own on a free port of the loopback, not started yet. */
export async function createDatacatServer(): Promise<Server> {
  const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'datacat-server-'))
  // PostgreSQL refuses root and then runs as another user, who must get through.
  await chmod(folder, 0o711)
  const [home, logFile] = [path.join(folder, 'home'), path.join(folder, 'server.log')]
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const isRunning = (): boolean =>
    child !== undefined && child.exitCode === null && child.signalCode === null
  const exited = async (): Promise<void> => {
    if (child && isRunning()) await once(child, 'exit')
  }
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      async answer => {
        await answer.text()
        return answer.status === 200
      },
      () => false
    )

  const start = async (): Promise<void> => {
    const log = openSync(logFile, 'a')
    child = spawn(process.execPath, [command, 'start'], {
      env: environment(home, port),
      stdio: ['ignore', log, log]
    })
    closeSync(log)
    for (const until = Date.now() + readyMs; !(await isReady()); await sleep(50)) {
      if (!isRunning() || Date.now() > until)
        throw new Error(`the server did not start:\n${tailOf(logFile)}`)
    }
  }
  const kill = async (): Promise<void> => {
    const roots = [isRunning() ? child?.pid : undefined, postgresOf(home)].filter(
      pid => pid !== undefined
    )
    const gone = exited()
    await killTree(roots)
    await gone
  }
  const stop = async (): Promise<void> => {
    if (isRunning()) child?.kill('SIGTERM')
    await Promise.race([exited(), sleep(15_000, undefined, { ref: false })])
    await kill()
  }
  return {
    url,
    start,
    kill,
    async remove() {
      try {
        await stop()
      } finally {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      }
    }
  }
}

/** The database of a server that is gone: its own file says which process it was. */
function postgresOf(home: string): number | undefined {
  try {
    return (
      Number(
        readFileSync(path.join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]
      ) || undefined
    )
  } catch {
    return undefined
  }
}

const tailOf = (file: string): string =>
  readFileSync(file, 'utf8').trim().split('\n').slice(-20).join('\n')
