import { ApiError, refuse, refuseField } from '../routes/api-error.ts'
import { parseSearch, type SearchNode } from './query.ts'

/** A position in a result: everything up to and including this row was returned. */
export interface Position {
  readonly at: number
  readonly id: string
}
/** One page of a v2 search, times in epoch ms. */
export interface SearchRequest {
  readonly query: SearchNode
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly descending: boolean
  readonly after: Position | undefined
  readonly cursorKey: string
}

export interface RawSearch {
  readonly query: unknown
  readonly from: unknown
  readonly to: unknown
  readonly limit: unknown
  readonly cursor: unknown
  readonly sort: unknown
}

/** The fields of a POST search body. */
export function rawFromBody(body: unknown): RawSearch {
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body)))
    throw refuse(400, 'Invalid JSON structure')
  const { filter, page, sort } = (body ?? {}) as Record<string, Record<string, unknown> | undefined>
  return {
    query: filter?.['query'],
    from: filter?.['from'],
    to: filter?.['to'],
    limit: page?.['limit'],
    cursor: page?.['cursor'],
    sort
  }
}

/** The same fields from the query string of a GET. */
export function rawFromQuery(query: URLSearchParams): RawSearch {
  const read = (name: string): string | undefined => query.get(name) ?? undefined
  return {
    query: read('filter[query]'),
    from: read('filter[from]'),
    to: read('filter[to]'),
    limit: read('page[limit]'),
    cursor: read('page[cursor]'),
    sort: read('sort')
  }
}

/** Checks a search; defaults are those of Datadog (last 15 minutes, 10 rows, newest first unless stated). */
export function readSearch(
  raw: RawSearch,
  now: number,
  cursorKey: string,
  newestFirst = true
): SearchRequest {
  const limit = raw.limit === undefined ? 10 : Number(raw.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw refuseField('page.limit', 'must be between 1 and 1000')
  if (raw.sort !== undefined && raw.sort !== 'timestamp' && raw.sort !== '-timestamp')
    throw refuseField('sort', 'must be timestamp or -timestamp')
  if (raw.query !== undefined && typeof raw.query !== 'string')
    throw refuseField('filter.query', 'must be a string')
  const from = instantOf(raw.from, now, now - 15 * 60_000, 'filter.from')
  const to = instantOf(raw.to, now, now, 'filter.to')
  if (from > to) throw refuseField('filter.from,to', 'from must not be after to')
  const descending = raw.sort === undefined ? newestFirst : raw.sort === '-timestamp'
  return {
    query: parseSearch(raw.query ?? ''),
    from,
    to,
    limit,
    descending,
    after: raw.cursor === undefined ? undefined : readCursor(raw.cursor, cursorKey),
    cursorKey
  }
}

const unitMs: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000
}

/**
 * ISO time with a zone, epoch ms as text or number, or `now`, `now-15m`; `-24h` and the like are refused, as
 * recorded.
 */
function instantOf(value: unknown, now: number, otherwise: number, field: string): number {
  if (value === undefined || value === null || value === '') return otherwise
  const text = String(value as string | number)
  const math = /^now(?:([+-])(\d+)([smhdw]))?$/.exec(text)
  if (math)
    return math[1] === undefined
      ? now
      : now + (math[1] === '-' ? -1 : 1) * Number(math[2]) * (unitMs[math[3] ?? ''] ?? 0)
  if (/^\d{1,16}$/.test(text)) return Number(text)
  const parsed = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)
    ? Date.parse(
        /Z|[+-]\d\d:?\d\d$/.test(text.slice(10)) ? text : text.length > 10 ? `${text}Z` : text
      )
    : NaN
  if (Number.isNaN(parsed)) throw refuseField(field, 'is not a valid time')
  return parsed
}

/** An opaque cursor; it holds only until the next reset of what issued it. */
export const writeCursor = (position: Position, key: string): string =>
  Buffer.from(
    JSON.stringify({
      after: Buffer.from(`${key}.${position.at}.${position.id}`).toString('base64url')
    })
  ).toString('base64url')

function readCursor(cursor: unknown, key: string): Position {
  try {
    const { after } = JSON.parse(Buffer.from(String(cursor), 'base64url').toString()) as {
      after: string
    }
    const [own, at, id] = Buffer.from(after, 'base64url').toString().split('.')
    if (own === key && id) return { at: Number(at), id }
    throw new ApiError(400, undefined)
  } catch {
    throw refuseField('page', 'invalid cursor')
  }
}

/** Whether a row lies beyond the position in the direction of reading. */
export function isAfter(
  row: Position,
  position: Position | undefined,
  descending: boolean
): boolean {
  if (!position) return true
  const order = row.at - position.at || (row.id < position.id ? -1 : row.id > position.id ? 1 : 0)
  return descending ? order < 0 : order > 0
}
