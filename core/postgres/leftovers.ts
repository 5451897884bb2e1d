import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withClient } from '../db/client.ts'
import { bootError, errorCode } from '../errors.ts'
import { secondMs } from '../time.ts'
import type { Cluster, ServerConnection } from './cluster.ts'

/** Ends what an earlier run left behind and drops its pid file, which a reused pid would turn into a refusal. */
export async function clear(
  cluster: Cluster,
  connection: ServerConnection,
  log: (line: string) => void
): Promise<void> {
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
        `the PostgreSQL an earlier run left behind (pid ${orphans().join(', ')}) does not end: ` +
          'stop it, then start again'
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
async function answering(pid: number, connection: ServerConnection): Promise<() => number[]> {
  const ours = await withClient(
    { ...connection, database: 'postgres', ssl: false },
    async () => true
  ).catch((error: unknown) => !['ECONNREFUSED', 'ENOENT'].includes(errorCode(error) ?? ''))
  return () => (ours && isAlive(pid) ? [pid] : [])
}

/** The server's processes of an earlier run; on Linux told by their working folder, never by a pid alone. */
export function leftovers(data: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return (
          readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres' &&
          readlinkSync(`/proc/${pid}/cwd`) === data
        )
      } catch {
        return false
      }
    })
}

/** Asks processes to end: fast shutdown, then immediate, then kill; false when they are still there. */
export async function end(
  alive: () => readonly number[],
  signal: Cluster['signal']
): Promise<boolean> {
  for (const [name, seconds] of [
    ['SIGINT', 10],
    ['SIGQUIT', 5],
    ['SIGKILL', 5]
  ] as const) {
    for (const pid of alive()) signal(pid, name)
    for (const until = Date.now() + seconds * secondMs; Date.now() < until; await sleep(20))
      if (alive().length === 0) return true
  }
  return alive().length === 0
}
