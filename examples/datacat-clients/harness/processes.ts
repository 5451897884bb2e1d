import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

interface Running {
  readonly pid: number
  readonly parent: number
  readonly state: string
}

/** Every process there is, from /proc or, where there is none, from `ps`. */
function processes(): Running[] {
  if (!existsSync('/proc/self/stat')) {
    return execFileSync('ps', ['-Ao', 'pid=,ppid=,stat='], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(line => {
        const [pid, parent, state = ''] = line.trim().split(/\s+/)
        return { pid: Number(pid), parent: Number(parent), state: state.slice(0, 1) }
      })
  }
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        // A command's own name may hold brackets and spaces, so it is cut off first.
        const [state = '', parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
        return [{ pid: Number(name), parent: Number(parent), state }]
      } catch {
        return []
      }
    })
}

function treeOf(roots: readonly number[]): number[] {
  const all = processes().filter(one => one.state !== 'Z')
  const found = roots.filter(root => all.some(one => one.pid === root))
  for (const pid of found)
    for (const one of all) if (one.parent === pid && !found.includes(one.pid)) found.push(one.pid)
  return found
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    /* gone */
  }
}

/**
 * SIGKILL for processes and all below them; everything is frozen first, so that nobody gets a last word.
 * Resolves when all are gone.
 */
export async function killTree(roots: readonly number[]): Promise<void> {
  const hit = new Set<number>()
  for (let grown = true; grown;) {
    const fresh = treeOf(roots).filter(pid => !hit.has(pid))
    for (const pid of fresh) {
      signal(pid, 'SIGSTOP')
      hit.add(pid)
    }
    grown = fresh.length > 0
  }
  for (const pid of hit) signal(pid, 'SIGKILL')
  const isLeft = (): boolean => processes().some(one => hit.has(one.pid) && one.state !== 'Z')
  while (isLeft()) await sleep(10)
}
