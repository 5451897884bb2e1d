import { DatadogError } from '../../contract.ts'

/**
 * A name that becomes one segment of a path; `.` and `..` would reach another endpoint, since they survive encoding.
 */
export function pathPart(name: string, what: string): string {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed === '.' || trimmed === '..' || /\p{Cc}/u.test(trimmed))
    throw new DatadogError('invalid', `${JSON.stringify(name.slice(0, 40))} is not ${what}`)
  return trimmed
}

/**
 * A decimal id, however long; the official client's factories only put it into the path, where a number would be
 * rounded.
 */
export function decimalId(id: string, what: string): number {
  const digits = id.trim()
  if (!/^\d{1,19}$/.test(digits))
    throw new DatadogError('invalid', `${what} is digits, not ${JSON.stringify(id.slice(0, 40))}`)
  return digits as unknown as number
}
