import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { root } from './own-process.ts'
import { started } from './started.ts'
import { killTree, memoryOf, nameOf, processorMs, signal, treeOf } from './tree.ts'

export interface ProductOptions {
  readonly home: string
  readonly port: number
  readonly env: Readonly<Record<string, string>>
  /** Write a CPU profile to this file when the server closes. */
  readonly profile?: string | undefined
}

/** One running server, started as a person starts it. */
export interface Product {
  readonly url: string
  readonly startedAt: number
  readonly pid: number
  /** Settles when the process is gone. */
  readonly exited: Promise<unknown>
  /** SIGKILL for the server and its PostgreSQL; answers how many processes that were. */
  kill(): Promise<number>
  stop(): Promise<void>
  /** Freezes the server, not its PostgreSQL, while a baseline has the machine. */
  pause(): void
  resume(): void
  /** Processor time used so far, in ms: it tells costs even while others keep the machine busy. */
  processor(): { node: number; postgres: number }
  memory(): {
    node: ReturnType<typeof memoryOf>
    postgres: ReturnType<typeof memoryOf>
    postgresProcesses: number
  }
}

/** A folder for RAYNE_HOME that PostgreSQL's own user may enter. */
export async function createHome(): Promise<{ home: string; remove(): Promise<void> }> {
  const home = mkdtempSync(path.join(realpathSync(tmpdir()), 'rayne-bench-'))
  await chmod(home, 0o711)
  const remove = started(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))
  return { home, remove }
}

/** A port nobody uses now; kept for every start, as a sender keeps its URL. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const profiled = (file: string): string[] => [
  '--cpu-prof',
  `--cpu-prof-dir=${path.dirname(file)}`,
  `--cpu-prof-name=${path.basename(file)}`,
  'core/bin.js',
  'start'
]

export function startProduct({ home, port, env, profile }: ProductOptions): Product {
  const log = openSync(logOf(home), 'a')
  const child = spawn(
    process.execPath,
    profile === undefined ? ['core/bin.js', 'start'] : profiled(profile),
    {
      cwd: root,
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        HOST: '127.0.0.1',
        PORT: String(port),
        RAYNE_HOME: home,
        RAYNE_LOG_LEVEL: 'warn',
        ...env
      }
    }
  )
  closeSync(log)
  const startedAt = performance.now()
  const pid = child.pid ?? 0
  const exited = once(child, 'exit')
  // The number of a process that is gone may be somebody else's by now; its PostgreSQL is found by its folder.
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null
  const kill = (): Promise<number> =>
    killTree(isGone() ? undefined : pid, path.join(home, 'postgres', 'data'))
  const forget = started(kill)
  const servers = (): number[] => treeOf(pid).filter(each => nameOf(each) !== 'postgres')
  const databases = (): number[] => treeOf(pid).filter(each => nameOf(each) === 'postgres')
  const freeze = (name: NodeJS.Signals): void => {
    for (const each of servers()) signal(each, name)
  }
  return {
    url: `http://127.0.0.1:${port}`,
    startedAt,
    pid,
    exited,
    pause: () => freeze('SIGSTOP'),
    resume: () => freeze('SIGCONT'),
    async kill() {
      const hit = await kill()
      await forget()
      return hit
    },
    async stop() {
      if (await closed(child, exited)) return void (await forget())
      throw new Error(`the server did not close within 30 s:\n${tailOf(home)}`)
    },
    processor: () => ({ node: processorMs(servers()), postgres: processorMs(databases()) }),
    memory() {
      const postgres = databases()
      return {
        node: memoryOf(servers()),
        postgres: memoryOf(postgres),
        postgresProcesses: postgres.length
      }
    }
  }
}

async function closed(child: ChildProcess, exited: Promise<unknown>): Promise<boolean> {
  child.kill('SIGCONT')
  child.kill('SIGTERM')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(resolve, 30_000, false)
  })
  return Promise.race([exited.then(() => true), late]).finally(() => clearTimeout(timer))
}

const logOf = (home: string): string => path.join(home, 'server.out')
export const tailOf = (home: string): string =>
  readFileSync(logOf(home), 'utf8').trim().split('\n').slice(-15).join('\n')

/** Asks the embedded database of a running server, beside the server. */
export async function askDatabase<T extends object>(
  home: string,
  sql: string,
  values: readonly unknown[] = []
): Promise<T[]> {
  const client = new pg.Client(connectionOf(home))
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<T>(sql, [...values])).rows
  } finally {
    await client.end()
  }
}

export const connectionOf = (home: string): pg.ClientConfig =>
  JSON.parse(readFileSync(path.join(home, 'database.json'), 'utf8')) as pg.ClientConfig
