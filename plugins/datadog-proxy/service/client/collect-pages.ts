import { DatadogError } from '../../contract.ts'
import { defined } from './read-json.ts'

/** One page as Datadog gave it; `next` is the cursor of the following one, `total` how many there are in all. */
export interface Page {
  readonly items: readonly unknown[]
  readonly next: string | undefined
  readonly total?: number
  readonly warnings?: readonly string[]
  /** Datadog ran out of time. */ readonly partial?: boolean
}

/** What a bounded read asks for: `toRow` is undefined for an item that cannot be used, `key` tells duplicates. */
interface PageRequest<T> {
  readonly limit: number
  /** Largest page the endpoint gives; Datadog's limit is 1000. */
  readonly pageSize: number
  readPage(cursor: string | undefined, size: number): Promise<Page>
  toRow(item: unknown): T | undefined
  key(row: T): string
}

interface Collected<T> {
  readonly rows: T[]
  readonly truncated: boolean
  readonly warnings: readonly string[]
  readonly total?: number
}

const mostRows = 10_000

/** A page of an endpoint that counts from an offset; throws `garbage` when Datadog gave no list of `what`. */
export function offsetPage(
  items: unknown,
  what: string,
  { offset, size, total }: { offset: number; size: number; total: number | undefined }
): Page {
  if (!Array.isArray(items))
    throw new DatadogError('garbage', `Datadog answered ${what} without a list`, {
      datadogStatus: 200
    })
  return {
    items,
    next: items.length < size ? undefined : String(offset + items.length),
    ...defined({ total })
  }
}

/**
 * Reads pages until there is one row more than the limit, or Datadog has no more. Never the client's paginator, which
 * loops for ever on a null cursor. Throws `invalid` for a limit out of 1…10000, `garbage` when no item is usable and
 * `timeout` when Datadog ran out of time before the first row.
 */
export async function collectPages<T>(request: PageRequest<T>): Promise<Collected<T>> {
  const { limit, readPage } = request
  if (!Number.isInteger(limit) || limit < 1 || limit > mostRows)
    throw new DatadogError('invalid', `limit must be a whole number from 1 to ${mostRows}`)
  const size = Math.min(request.pageSize, limit + 1)
  const rows = new Map<string, T>()
  const warnings = new Set<string>()
  const cursors = new Set<string>()
  let cursor: string | undefined
  let more = false
  let dropped = 0
  let inAll: number | undefined
  for (let page = 1; ; page++) {
    const { items, next, warnings: said = [], partial, total } = await readPage(cursor, size)
    // No rows because time ran out is no "none".
    if (partial && items.length === 0 && rows.size === 0)
      throw new DatadogError('timeout', 'Datadog ran out of time and answered without a row', {
        datadogStatus: 200
      })
    for (const warning of said) warnings.add(warning)
    inAll ??= total
    dropped += addRows(items, request, rows)
    const end = endOf({
      got: items.length,
      size,
      next,
      cursors,
      rows: rows.size,
      limit,
      page,
      pageSize: request.pageSize
    })
    if (end?.warning) warnings.add(end.warning)
    if (end) {
      more = end.more
      break
    }
    cursor = next
    if (cursor !== undefined) cursors.add(cursor)
  }
  return finish([...rows.values()], limit, more, dropped, warnings, inAll)
}

/** Adds what is usable and new; answers how many items are not usable. */
function addRows<T>(
  items: readonly unknown[],
  { toRow, key }: Pick<PageRequest<T>, 'toRow' | 'key'>,
  rows: Map<string, T>
): number {
  let dropped = 0
  for (const item of items) {
    const row = toRow(item)
    if (row === undefined) dropped++
    else if (!rows.has(key(row))) rows.set(key(row), row)
  }
  return dropped
}

interface Progress {
  got: number
  size: number
  next: string | undefined
  cursors: ReadonlySet<string>
  rows: number
  limit: number
  page: number
  pageSize: number
}

function endOf({
  got,
  size,
  next,
  cursors,
  rows,
  limit,
  page,
  pageSize
}: Progress): { more: boolean; warning?: string } | undefined {
  if (rows > limit) return { more: true }
  if (next === undefined) return { more: false }
  if (cursors.has(next))
    return { more: false, warning: 'Datadog repeated its page cursor, so paging stopped there' }
  if (got === 0) return { more: false }
  if (got < size)
    return {
      more: false,
      warning:
        `Datadog gave ${got} of ${size} rows asked for and still a cursor; rows ` +
        'after them, if any, were not read'
    }
  if (rows >= limit) return { more: true }
  // Duplicates make pages yield less than their size; two pages more than needed are tolerated.
  if (page >= Math.ceil(limit / pageSize) + 2)
    return { more: true, warning: 'Datadog kept repeating rows, so paging stopped' }
  return undefined
}

function finish<T>(
  rows: T[],
  limit: number,
  more: boolean,
  dropped: number,
  warnings: ReadonlySet<string>,
  total: number | undefined
): Collected<T> {
  if (dropped > 0 && rows.length === 0)
    throw new DatadogError(
      'garbage',
      `Datadog answered ${dropped} rows and none has the expected fields`
    )
  const lost = dropped > 0 ? [`${dropped} rows without the expected fields were left out`] : []
  return {
    rows: rows.slice(0, limit),
    truncated: more,
    warnings: [...warnings, ...lost],
    ...defined({ total })
  }
}
