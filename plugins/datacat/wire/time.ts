import { invalid } from '../../../core/index.ts'

/** Epoch milliseconds as the wire says them. */
export const iso = (ms: number): string => new Date(ms).toISOString()

const earliest = Date.UTC(2000, 0, 1)
const maxAheadMs = 86_400_000
/** The last moment a JavaScript date can say. */
const maxTimeMs = 8.64e15
const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** A time from a request, RFC 3339 or epoch milliseconds, as epoch milliseconds; throws a 400 that names the field. */
export function readTime(value: string | number, pointer: string): number {
  const ms = typeof value === 'number' ? value : parseTime(value)
  if (Math.abs(ms) <= maxTimeMs) return Math.round(ms)
  throw invalid(
    pointer,
    'is no time: use RFC 3339, e.g. 2026-01-31T12:00:00Z, or epoch milliseconds'
  )
}

function parseTime(text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text)
  const [, year, month, day] = rfc3339.exec(text) ?? []
  // A day the month does not have would be taken for one of the next.
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return isDay.getUTCDate() === Number(day) ? Date.parse(text) : Number.NaN
}

/** When a client says something happened; epoch milliseconds. */
export interface ClientTime {
  /** Null = the server's time. */
  readonly at: number | null
  /** What the client said where its clock is wrong, so that its time is not taken. */
  readonly said: number | null
}

/**
 * A time of a client: before 2000 or more than a day ahead its clock is wrong, and the server's
 * time is taken. Throws a 400 for what is no time.
 */
export function readClientTime(
  value: string | number | undefined,
  pointer: string,
  now: number
): ClientTime {
  if (value === undefined) return { at: null, said: null }
  const ms = readTime(value, pointer)
  const isWrong = ms < earliest || ms > now + maxAheadMs
  return isWrong ? { at: null, said: ms } : { at: ms, said: null }
}

/** How the wrong time of a client is shown beside the server's. */
export const saidOf = (said: number | null): { readonly client_timestamp?: string } =>
  said === null ? {} : { client_timestamp: iso(said) }

/** A positive whole number, or no limit. */
export function readLimit(value: string | undefined, pointer: string): number {
  if (value === undefined || value === '') return Number.MAX_SAFE_INTEGER
  if (!/^[1-9]\d{0,9}$/.test(value)) throw invalid(pointer, 'must be a positive whole number')
  return Number(value)
}
