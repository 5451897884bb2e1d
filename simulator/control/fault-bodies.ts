import type { Answer, FaultThen } from './fault.ts'

/** What a `schema` fault may do to a well-formed answer. */
export const schemaFaults = [
  'unknown_enum',
  'missing_required',
  'extra_field',
  'int64_id',
  'after_null',
  'repeated_cursor',
  'short_page',
  'duplicate_item'
] as const
const REPEATED = 'eyJhZnRlciI6InJlcGVhdCJ9'
type Json = Record<string, unknown>

/** The rows of an answer: a bare array, or the list below its first list-valued key. */
function rowsOf(body: unknown): Json[] {
  if (Array.isArray(body)) return body as Json[]
  const lists =
    typeof body === 'object' && body !== null ? Object.values(body).filter(Array.isArray) : []
  return (lists.find(list => list.length > 0) ?? []) as Json[]
}

const cursorOf = (body: unknown): { after?: unknown } | undefined =>
  (body as { meta?: { page?: { after?: unknown } } }).meta?.page

/** Changes the request before it is carried out: half a page is asked for, or the cursor is forgotten. */
export function bentRequest(
  fault: FaultThen | undefined,
  text: string,
  query: URLSearchParams
): { text: string; query: URLSearchParams } {
  if (fault?.type !== 'schema' || (fault.body !== 'short_page' && fault.body !== 'repeated_cursor'))
    return { text, query }
  const changed = new URLSearchParams(query)
  const page = (given: Json): Json =>
    fault.body === 'short_page'
      ? { ...given, limit: Math.max(1, Math.floor(Number(given['limit'] ?? 10) / 2)) }
      : { ...given, cursor: undefined }
  if (fault.body === 'short_page' && changed.has('page[limit]'))
    changed.set(
      'page[limit]',
      String(Math.max(1, Math.floor(Number(changed.get('page[limit]')) / 2)))
    )
  if (fault.body === 'repeated_cursor') changed.delete('page[cursor]')
  const body = parsed(text) as { page?: Json; data?: { attributes?: { page?: Json } } } | undefined
  const holder = body?.data?.attributes ?? body
  if (holder) holder.page = page(holder.page ?? {})
  return { text: body ? JSON.stringify(body) : text, query: changed }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The last row that each fault let through, to be repeated on the next page. */
const lastRows = new WeakMap<FaultThen, Json>()

/** A valid answer made odd in one way. */
export function bentAnswer(fault: FaultThen, real: Answer): Answer {
  const body = parsed(real.body)
  if (body === undefined || real.status >= 400) return real
  const rows = rowsOf(body)
  const first = rows[0] ?? (body as Json)
  const sent = (): Answer => ({ ...real, body: JSON.stringify(body) })
  switch (fault.body) {
    case 'unknown_enum':
      for (const key of ['overall_state', 'status', 'type'])
        if (typeof first[key] === 'string') {
          first[key] = 'quantum'
          break
        }
      return sent()
    case 'missing_required':
      for (const key of ['query', 'attributes', 'name', 'id'])
        if (first[key] !== undefined) {
          delete first[key]
          break
        }
      return sent()
    case 'int64_id':
      return { ...real, body: real.body.replace(/"id":("[^"]*"|\d+)/, '"id":9223372036854775807') }
    case 'after_null':
    case 'repeated_cursor': {
      const after = fault.body === 'after_null' ? null : REPEATED
      if (!Array.isArray(body))
        Object.assign(body as Json, {
          meta: { ...(body as { meta?: Json }).meta, page: { ...cursorOf(body), after } }
        })
      return sent()
    }
    case 'duplicate_item': {
      const before = lastRows.get(fault)
      const last = rows.at(-1)
      if (before) rows.unshift(before)
      if (last) lastRows.set(fault, last)
      return sent()
    }
    case 'short_page':
      return real
    default:
      if (!Array.isArray(body)) (body as Json)['unexpected_field'] = { nested: true }
      first['unexpected_field'] = { nested: [1, null] }
      return sent()
  }
}

/** Half the rows, and Datadog's words for a search that ran out of time. */
export function partialAnswer(real: Answer): Answer {
  const body = parsed(real.body)
  if (real.status >= 400 || typeof body !== 'object' || body === null || Array.isArray(body))
    return real
  const rows = rowsOf(body)
  rows.splice(Math.ceil(rows.length / 2))
  const warnings = [
    {
      code: 'unknown_index',
      title:
        'One or several indexes are missing or invalid, results hold data from the other indexes',
      detail: 'indexes: main-2025-03-10'
    }
  ]
  return {
    ...real,
    body: JSON.stringify({
      ...body,
      meta: { ...(body as { meta?: Json }).meta, status: 'timeout', warnings }
    })
  }
}

/** What was made lately, so that reads can lag behind writes. */
export function createRecentWrites() {
  let writes: { account: string; id: string; at: number }[] = []
  return {
    reset(): void {
      writes = []
    },
    note(account: string, answer: Answer, now: number): void {
      const body = parsed(answer.body) as
        | { id?: unknown; name?: unknown; data?: { id?: unknown } | { id?: unknown }[] }
        | undefined
      const id =
        body?.id ?? (Array.isArray(body?.data) ? body.data[0]?.id : body?.data?.id) ?? body?.name
      if (answer.status < 300 && (typeof id === 'string' || typeof id === 'number'))
        writes = [...writes.slice(-200), { account, id: String(id), at: now }]
    },
    /** The answer of a replica that is `ms` behind: what is newer is not found and not listed. */
    lagged(
      { account, path, now, ms }: { account: string; path: string; now: number; ms: number },
      answer: Answer
    ): Answer {
      const hidden = new Set(
        writes
          .filter(write => write.account === account && now - write.at < ms)
          .map(write => write.id)
      )
      if (hidden.has(decodeURIComponent(path.split('/').at(-1) ?? '')))
        return {
          status: 404,
          headers: { 'content-type': 'application/json' },
          body: '{"errors":["Not found"]}'
        }
      const body = parsed(answer.body)
      const rows = rowsOf(body)
      const left = rows.filter(row => !hidden.has(String(row['id'])))
      if (left.length === rows.length) return answer
      rows.splice(0, rows.length, ...left)
      return { ...answer, body: JSON.stringify(body) }
    }
  }
}
export type RecentWrites = ReturnType<typeof createRecentWrites>
