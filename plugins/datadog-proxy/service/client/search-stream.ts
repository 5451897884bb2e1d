import { isoTime } from '../../../../core/index.ts'
import { DatadogError, type DatadogRows, type TimeWindow } from '../../contract.ts'
import { collectPages, type Page } from './collect-pages.ts'
import { idOf, isObject, listOf, objectOf, textOf } from './read-json.ts'

export interface StreamSearch {
  readonly query: string
  readonly window: TimeWindow
  readonly limit: number
}

/** What the v2 searches send: an absolute window, because `now` moves between pages. */
export interface SearchBody {
  readonly filter: { readonly query: string; readonly from: string; readonly to: string }
  readonly page: { limit: number; cursor?: string }
}

/** A v2 search (logs, events, spans) page by page; throws `garbage` when an answer has no `data` list. */
export async function searchStream<T extends { id: string }>(
  search: StreamSearch,
  pageSize: number,
  read: (body: SearchBody) => Promise<unknown>,
  toRow: (item: unknown) => T | undefined
): Promise<DatadogRows<T>> {
  const collected = await collectPages({
    limit: search.limit,
    pageSize,
    readPage: (cursor, limit) => readStream({ ...search, limit }, cursor, read),
    toRow,
    key: row => row.id
  })
  return { ...collected, asked: askedOf(search) }
}

/** One page of a v2 search. */
export async function readStream(
  search: StreamSearch,
  cursor: string | undefined,
  read: (body: SearchBody) => Promise<unknown>
): Promise<Page> {
  const { query, from, to, limit } = askedOf(search)
  return toPage(
    await read({
      filter: { query, from, to },
      page: { limit, ...(cursor === undefined ? {} : { cursor }) }
    })
  )
}

/** What a search asks for, with absolute times; throws `invalid` for a window that does not end after it begins. */
export function askedOf({ query, window, limit }: StreamSearch): {
  query: string
  from: string
  to: string
  limit: number
} {
  if (!(window.from < window.to))
    throw new DatadogError('invalid', 'the window must end after it begins')
  return { query, from: isoTime(window.from), to: isoTime(window.to), limit }
}

function toPage(answer: unknown): Page {
  if (!isObject(answer) || !Array.isArray(answer['data']))
    throw new DatadogError('garbage', 'Datadog answered a search without a list of results', {
      datadogStatus: 200
    })
  return {
    items: answer['data'],
    next: textOf(objectOf(objectOf(answer['meta'])['page'])['after']),
    warnings: warningsOf(answer),
    partial: objectOf(answer['meta'])['status'] === 'timeout'
  }
}

/** What Datadog says against its own answer: it ran out of time, or an index is missing. */
export function warningsOf(answer: unknown): string[] {
  const meta = objectOf(objectOf(answer)['meta'])
  const warnings = listOf(meta['warnings']).map(warning => {
    const { title, detail, code } = objectOf(warning)
    return (
      [textOf(title), textOf(detail)].filter(Boolean).join(': ') ||
      idOf(code) ||
      'a warning without words'
    )
  })
  return meta['status'] === 'timeout'
    ? ['Datadog ran out of time and answered in part', ...warnings]
    : warnings
}
