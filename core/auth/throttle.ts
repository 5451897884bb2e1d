import { RayneError } from '../errors.ts'
import { minuteMs, secondMs } from '../time.ts'

/** Wrong passwords in a quarter of an hour: for a name at an address, for a name, for an address, and in all. */
export const loginBudgets = { pair: 10, name: 30, address: 100, all: 1_000 } as const
const windowMs = 15 * minuteMs
const maxKeys = 10_000

interface Failures {
  count: number
  readonly since: number
}

/** A try to log in: it counts as a failure until it is taken back. */
export interface Try {
  /** The password was right: this name from this address has none that were wrong. */
  succeeded(): void
  /** No password was looked at: takes the try back, and the error goes on. */
  cutOff(error: unknown): never
}

/** Wrong passwords by name and address; of too many to remember those go first that came first. */
export function createThrottle(now: () => number = Date.now): (name: string, ip: string) => Try {
  const failures = new Map<string, Failures>()
  // A flood of names drives out the others, and never this one.
  let all: Failures = { count: 0, since: 0 }

  function failuresOf(key: string): Failures {
    const known = key === 'all' ? all : failures.get(key)
    if (known && known.since > now() - windowMs) return known
    const fresh = { count: 0, since: now() }
    if (key === 'all') return (all = fresh)
    failures.delete(key)
    failures.set(key, fresh)
    const [oldest] = failures.keys()
    if (failures.size > maxKeys && oldest !== undefined) failures.delete(oldest)
    return fresh
  }

  return (name, ip) => {
    const counted = [
      [`pair ${ip} ${name}`, loginBudgets.pair, 'this name'],
      [`name ${name}`, loginBudgets.name, 'this name'],
      [`address ${ip}`, loginBudgets.address, 'this address'],
      ['all', loginBudgets.all, 'this server']
    ] as const
    const entries = counted.map(([key, most, whose]) => ({
      most,
      whose,
      of: failuresOf(key)
    }))
    for (const { most, whose, of } of entries)
      if (of.count >= most)
        throw new RayneError({
          code: 'too-many-logins',
          message: `too many failed logins for ${whose}; wait a quarter of an hour`,
          details: { retryAfterSeconds: Math.ceil((of.since + windowMs - now()) / secondMs) }
        })
    for (const { of } of entries) of.count += 1
    const takeBack = (): void => {
      for (const { of } of entries) of.count -= 1
    }
    return {
      cutOff(error) {
        takeBack()
        throw error
      },
      succeeded() {
        takeBack()
        failures.delete(`pair ${ip} ${name}`)
      }
    }
  }
}
