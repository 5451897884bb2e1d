import { RayneError } from '../errors.ts'
import { minuteMs, secondMs } from '../time.ts'

const maxFailures = 10
const windowMs = 15 * minuteMs

/** Counts failed tries by key; calling what it returns forgets them. */
export function createThrottle(): (key: string) => () => void {
  const failures = new Map<string, { count: number; since: number }>()
  return key => {
    if (failures.size > 10_000) failures.clear()
    const entry = failures.get(key)
    const live =
      entry && entry.since > Date.now() - windowMs ? entry : { count: 0, since: Date.now() }
    if (live.count >= maxFailures)
      throw new RayneError({
        code: 'too-many-logins',
        message: 'too many failed logins for this name; wait a quarter of an hour',
        details: { retryAfterSeconds: Math.ceil((live.since + windowMs - Date.now()) / secondMs) }
      })
    failures.set(key, { ...live, count: live.count + 1 })
    return () => failures.delete(key)
  }
}
