import { invalid } from '../../../core/index.ts'

/** Epoch milliseconds as the wire says them. */
export const iso = (ms: number): string => new Date(ms).toISOString()

const earliest = Date.UTC(2000, 0, 1)
const aheadMs = 86_400_000
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** A time from a request, RFC 3339 or epoch milliseconds, as epoch milliseconds; throws a 400 that names the field. */
export function readTime(value: string | number, pointer: string): number {
  const ms =
    typeof value === 'number'
      ? value
      : /^\d{1,15}$/.test(value)
        ? Number(value)
        : rfc3339.test(value)
          ? Date.parse(value)
          : Number.NaN
  if (!Number.isFinite(ms))
    throw invalid(
      pointer,
      'is no time: use RFC 3339, e.g. 2026-01-31T12:00:00Z, or epoch milliseconds'
    )
  return Math.round(ms)
}

/** The time a client says something happened: not before 2000 and at most a day ahead, or its clock is wrong. */
export function readClientTime(
  value: string | number | undefined,
  pointer: string,
  now: number
): number | null {
  if (value === undefined) return null
  const ms = readTime(value, pointer)
  if (ms < earliest || ms > now + aheadMs)
    throw invalid(
      pointer,
      'is before 2000 or more than a day ahead: is the clock right, and are these milliseconds?'
    )
  return ms
}

/** A positive whole number, or no limit. */
export function readLimit(value: string | undefined, pointer: string): number {
  if (value === undefined || value === '') return Number.MAX_SAFE_INTEGER
  if (!/^[1-9]\d{0,9}$/.test(value)) throw invalid(pointer, 'must be a positive whole number')
  return Number(value)
}
