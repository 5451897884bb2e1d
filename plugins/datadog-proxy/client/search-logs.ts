import type { DatadogLog, DatadogRows } from '../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, idOf, objectOf, tagOf, textOf, textsOf, timeOf } from './read-json.ts'
import { searchStream, type StreamSearch } from './search-stream.ts'
import { needs, type Call } from './send-request.ts'

/** Log lines of a window, newest first unless asked otherwise; one page costs one of about 300 searches an hour. */
export function searchLogs(call: Call, sdk: Sdk, pageSize: number, search: StreamSearch & { sort?: 'oldest' | 'newest' }): Promise<DatadogRows<DatadogLog>> {
  const sort = search.sort === 'oldest' ? 'timestamp' : '-timestamp'
  return searchStream(search, pageSize, body => call.read(needs('logs_read_data'), async () => (await sdk.v2()).logs.listLogs({ ...body, sort })), toLog)
}

function toLog(item: unknown): DatadogLog | undefined {
  const raw = objectOf(item)
  const outer = objectOf(raw['attributes'])
  const attributes = objectOf(outer['attributes'])
  const id = idOf(raw['id'])
  const at = timeOf(outer['timestamp'])
  if (id === undefined || at === undefined) return undefined
  const tags = textsOf(outer['tags'])
  return {
    id, at, tags, attributes, status: textOf(outer['status']) ?? 'unknown', message: textOf(outer['message']) ?? '',
    // About a tenth of real lines lack the field although a tag or attribute names the service.
    ...defined({ host: textOf(outer['host']) ?? tagOf(tags, 'host'), service: textOf(outer['service']) ?? textOf(attributes['service']) ?? tagOf(tags, 'service') })
  }
}
