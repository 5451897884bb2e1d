import { isoTime } from '../../../core/index.ts'
import { DatadogError, type DatadogRows, type TimeWindow } from '../contract.ts'
import { collectPages, type Page } from './collect-pages.ts'
import { idOf, isObject, listOf, objectOf, textOf } from './read-json.ts'

export interface StreamSearch { readonly query: string; readonly window: TimeWindow; readonly limit: number }

/** What both v2 searches send: an absolute window, because `now` moves between pages. */
interface SearchBody {
  readonly filter: { readonly query: string; readonly from: string; readonly to: string }
  readonly page: { limit: number; cursor?: string }
}

/** A v2 search (logs, events) page by page; throws `garbage` when an answer has no `data` list. */
export async function searchStream<T extends { id: string }>(
  search: StreamSearch, pageSize: number, read: (body: SearchBody) => Promise<unknown>, toRow: (item: unknown) => T | undefined
): Promise<DatadogRows<T>> {
  const { query, window, limit } = search
  if (!(window.from < window.to)) throw new DatadogError('invalid', 'the window must end after it begins')
  const from = isoTime(window.from)
  const to = isoTime(window.to)
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> =>
    toPage(await read({ filter: { query, from, to }, page: { limit: size, ...(cursor === undefined ? {} : { cursor }) } }))
  const collected = await collectPages({ limit, pageSize, readPage, toRow, key: row => row.id })
  return { ...collected, asked: { query, from, to, limit } }
}

function toPage(answer: unknown): Page {
  if (!isObject(answer) || !Array.isArray(answer['data'])) throw new DatadogError('garbage', 'Datadog answered a search without a list of results', { datadogStatus: 200 })
  const meta = objectOf(answer['meta'])
  const warnings = listOf(meta['warnings']).map(warning => {
    const { title, detail, code } = objectOf(warning)
    return [textOf(title), textOf(detail)].filter(Boolean).join(': ') || idOf(code) || 'a warning without words'
  })
  if (meta['status'] === 'timeout') warnings.unshift('Datadog ran out of time and answered in part')
  return { items: answer['data'], next: textOf(objectOf(meta['page'])['after']), warnings }
}
