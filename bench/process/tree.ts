import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const isPid = (name: string): boolean => /^\d+$/.test(name)

/** The parent and state of a process; the command's own name may hold brackets and spaces, so it is cut off first. */
function statOf(pid: number): { parent: number; state: string } | undefined {
  try {
    const [state = '', parent = '0'] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { parent: Number(parent), state }
  } catch {
    return undefined
  }
}

/** A process and everything under it, whatever group or session it moved to; parents come first. */
export function treeOf(root: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter(isPid)
      .map(name => [Number(name), statOf(Number(name))?.parent])
  )
  const found = [root]
  for (const pid of found)
    for (const [child, parent] of parents) if (parent === pid) found.push(child)
  return found
}

/** True while the process runs; a zombie does not. */
export const isRunning = (pid: number): boolean =>
  !['Z', 'X', undefined].includes(statOf(pid)?.state)

/** PostgreSQL's processes of one data folder, also those that lost their parent. */
export const postgresOf = (dataFolder: string): number[] =>
  readdirSync('/proc')
    .filter(isPid)
    .map(Number)
    .filter(pid => {
      try {
        return nameOf(pid) === 'postgres' && readlinkSync(`/proc/${pid}/cwd`) === dataFolder
      } catch {
        return false
      }
    })

export const nameOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

/** Signals a process; one that has ended in the meantime needs none. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    /* gone */
  }
}

/**
 * SIGKILL for a whole tree; answers how many processes were hit once all are gone. Everything is frozen first, so that
 * no part sees another one end: neither the server nor PostgreSQL gets the moment for a last answer or an orderly end.
 */
export async function killTree(root: number | undefined, dataFolder: string): Promise<number> {
  const hit = new Set<number>()
  for (let grown = true; grown;) {
    const found = [...(root === undefined ? [] : treeOf(root)), ...postgresOf(dataFolder)].filter(
      pid => !hit.has(pid)
    )
    for (const pid of found) {
      signal(pid, 'SIGSTOP')
      hit.add(pid)
    }
    grown = found.length > 0
  }
  for (const pid of hit) signal(pid, 'SIGKILL')
  for (let left = [...hit]; left.length > 0; left = left.filter(isRunning)) await sleep(2)
  return hit.size
}

// Linux counts processor time in ticks of 10 ms on every platform Node runs on.
const tickMs = 10

/** Processor time of processes in ms, user and system, with that of children they have waited for. */
export function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return sum + fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0) * tickMs
    } catch {
      return sum
    }
  }, 0)
}

/** Memory in bytes; `shared` counts pages that several processes share once, in parts. */
export function memoryOf(pids: readonly number[]): { rss: number; shared: number } {
  const field = (text: string, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  const texts = pids.map(pid => {
    try {
      return readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    } catch {
      return ''
    }
  })
  return {
    rss: texts.reduce((sum, text) => sum + field(text, 'Rss'), 0),
    shared: texts.reduce((sum, text) => sum + field(text, 'Pss'), 0)
  }
}
