import type { LogRow, LogStream } from '../world/logs.ts'
import { matches, readPath, tagValues, type Searchable } from './match.ts'
import { isAfter, type SearchRequest } from './request.ts'
import { refuseField } from '../routes/api-error.ts'
import { wordsOf } from './query.ts'

const MINUTE = 60_000
const DAY = 86_400_000
/** Where logs are looked for, and how far back: beyond it the real one silently answers nothing. */
export interface Tier {
  readonly retention: number
  readonly security: boolean
}
const retentions: Readonly<Record<string, number>> = {
  indexes: 3 * DAY,
  flex: 30 * DAY,
  'online-archives': 450 * DAY
}

/**
 * The tier and indexes a search names; `main` holds everything but the security signals, which have an index of
 * their own.
 */
export function tierOf(tier: unknown, indexes: unknown): Tier {
  const retention = retentions[tier === undefined ? 'indexes' : String(tier as string)]
  if (retention === undefined)
    throw refuseField('filter.storage_tier', `must be one of ${Object.keys(retentions).join(', ')}`)
  const names = Array.isArray(indexes) && indexes.length > 0 ? indexes.map(String) : ['*']
  const known = names.filter(name => ['main', 'security', '*'].includes(name))
  return {
    retention: known.length === 0 ? 0 : retention,
    security: !known.some(name => name === 'main' || name === '*')
  }
}

/** One page of log lines in order; reading stops with the page, so a long window costs no more than its first rows. */
export function searchLogs(
  streams: readonly LogStream[],
  request: SearchRequest,
  now: number,
  tier: Tier = tierOf(undefined, undefined)
): LogRow[] {
  const { descending, after, limit, query } = request
  const from = Math.max(request.from, now - tier.retention)
  const to = Math.min(request.to, now)
  const relevant = streams.filter(
    stream =>
      (!tier.security || stream.fixed['source'] === 'syslog') &&
      matches(query, streamItem(stream)) !== false
  )
  const low = Math.floor((after && !descending ? Math.max(from, after.at) : from) / MINUTE)
  const high = Math.floor((after && descending ? Math.min(to, after.at) : to) / MINUTE)
  const page: LogRow[] = []
  const { show } = createRowItem()
  if (relevant.length === 0) return page
  for (let i = 0; i <= high - low && page.length < limit; i++) {
    const minute = descending ? high - i : low + i
    const rows = relevant.flatMap(stream =>
      stream
        .minute(minute)
        .filter(row => row.at >= from && row.at <= to && matches(query, show(row)) === true)
    )
    rows.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    if (descending) rows.reverse()
    for (const row of rows)
      if (page.length < limit && isAfter(row, after, descending)) page.push(row)
  }
  return page
}

function streamItem(stream: LogStream): Searchable {
  return {
    words: () => undefined,
    values: key => {
      const value = stream.fixed[key]
      return value === undefined ? undefined : [value]
    },
    attribute: () => undefined
  }
}

/** One object for every row: a search looks at tens of thousands of them. */
function createRowItem(): { show(row: LogRow): Searchable } {
  let row!: LogRow
  const item: Searchable = {
    words: () => (row.words ??= wordsOnce(row.message)),
    values: key =>
      key === 'status' ? [row.status] : key === 'host' ? [row.host] : tagValues(row.tags, key),
    attribute: path => ({ value: readPath(row.attributes, path) })
  }
  return {
    show: next => {
      row = next
      return item
    }
  }
}

const known = new Map<string, string>()
/** Many lines have the same text; it is split into words once. */
function wordsOnce(message: string): string {
  let words = known.get(message)
  if (words === undefined) {
    if (known.size > 5000) known.clear()
    known.set(message, (words = wordsOf(message)))
  }
  return words
}

/** A log line as the v2 API shows it, as JSON text; kept with the line, since pages of a thousand are common. */
export function logJson(row: LogRow): string {
  const { service } = row
  return (row.json ??= JSON.stringify({
    id: row.id,
    type: 'log',
    attributes: {
      timestamp: new Date(row.at).toISOString(),
      status: row.status,
      host: row.host,
      ...(service === undefined ? {} : { service }),
      message: row.message,
      tags: row.tags,
      attributes: row.attributes
    }
  }))
}
