import { RayneError, type Principal } from '../../../core/index.ts'
import { datacatErrors } from '../contract.ts'

/** How much work there may be at once, and how much may wait for it. */
export interface ShareLimits {
  readonly maxEach: number
  readonly maxAll: number
  /** Of one caller. */
  readonly maxWaiting: number
  readonly maxWaitMs: number
}
interface Waiting {
  readonly caller: string
  start(): void
}

/** By whom work is counted. */
export const callerOf = ({ kind, id }: Principal): string => `${kind} ${id}`

/**
 * Lets every caller have so much work at once, and all of them so much; the rest waits its turn,
 * in the order it came. 429 for what waits too long, or would be too much to wait.
 */
export function createShares(limits: ShareLimits) {
  const running = new Map<string, number>()
  const queue: Waiting[] = []
  let all = 0

  const runningOf = (caller: string): number => running.get(caller) ?? 0
  const mayStart = (caller: string): boolean =>
    all < limits.maxAll && runningOf(caller) < limits.maxEach

  function begin(caller: string): void {
    all += 1
    running.set(caller, runningOf(caller) + 1)
  }
  function end(caller: string): void {
    all -= 1
    const left = runningOf(caller) - 1
    if (left > 0) running.set(caller, left)
    else running.delete(caller)
    const next = queue.findIndex(one => mayStart(one.caller))
    if (next >= 0) queue.splice(next, 1)[0]?.start()
  }

  async function turn(caller: string): Promise<void> {
    if (mayStart(caller)) return begin(caller)
    const own = queue.filter(one => one.caller === caller).length
    if (own >= limits.maxWaiting) throw tooMany()
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        caller,
        start() {
          clearTimeout(timer)
          begin(caller)
          resolve()
        }
      }
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(waiting), 1)
        reject(tooMany())
      }, limits.maxWaitMs)
      queue.push(waiting)
    })
  }

  const tooMany = (): RayneError =>
    new RayneError({
      code: datacatErrors['too-many-charts'],
      message:
        `a caller has at most ${limits.maxEach} charts at once, ` +
        'and those before have not ended; ask for fewer, or wait',
      details: { retryAfterSeconds: 2 }
    })

  return async <T>(caller: string, work: () => Promise<T>): Promise<T> => {
    await turn(caller)
    try {
      return await work()
    } finally {
      end(caller)
    }
  }
}

/** Counts what a caller has open; 429 beyond `maxEach`. The function it answers lets go, once. */
export function createSeats(maxEach: number, what: string) {
  const taken = new Map<string, number>()
  return (caller: string): (() => void) => {
    const count = taken.get(caller) ?? 0
    if (count >= maxEach)
      throw new RayneError({
        code: datacatErrors['too-many-streams'],
        message: `a caller has at most ${maxEach} ${what} open; close one first`,
        details: { retryAfterSeconds: 5 }
      })
    taken.set(caller, count + 1)
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      const left = (taken.get(caller) ?? 1) - 1
      if (left > 0) taken.set(caller, left)
      else taken.delete(caller)
    }
  }
}
