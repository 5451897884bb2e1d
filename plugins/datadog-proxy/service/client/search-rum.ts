import type { DatadogRows, DatadogRumEvent } from '../../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { idOf, objectOf, textOf, textsOf, timeOf } from './read-json.ts'
import { searchStream, type StreamSearch } from './search-stream.ts'
import { needs, type Call } from './send-request.ts'

/** What browsers told of in a window, newest first unless asked otherwise. */
export function searchRum(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { sort, ...search }: StreamSearch & { sort?: 'oldest' | 'newest' }
): Promise<DatadogRows<DatadogRumEvent>> {
  return searchStream(
    search,
    pageSize,
    ({ filter, page }) =>
      // That API also creates applications and answers their secrets, so only this path of it is named.
      call.read(needs('rum_apps_read'), () =>
        sdk.get('/api/v2/rum/events', {
          'filter[query]': filter.query,
          'filter[from]': filter.from,
          'filter[to]': filter.to,
          'page[limit]': String(page.limit),
          ...(page.cursor === undefined ? {} : { 'page[cursor]': page.cursor }),
          sort: sort === 'oldest' ? 'timestamp' : '-timestamp'
        })
      ),
    toEvent
  )
}

function toEvent(item: unknown): DatadogRumEvent | undefined {
  const raw = objectOf(item)
  const outer = objectOf(raw['attributes'])
  const id = idOf(raw['id'])
  const at = timeOf(outer['timestamp'])
  if (id === undefined || at === undefined) return undefined
  return {
    id,
    at,
    service: textOf(outer['service']) ?? 'unknown',
    tags: textsOf(outer['tags']),
    attributes: objectOf(outer['attributes'])
  }
}
