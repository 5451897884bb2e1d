import type { DatadogEvent, DatadogRows } from '../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, idOf, objectOf, tagOf, textOf, textsOf, timeOf } from './read-json.ts'
import { searchStream, type StreamSearch } from './search-stream.ts'
import { needs, type Call } from './send-request.ts'

/** Events of a window (deploys, changes, alerts), newest first; Datadog indexes them about 30 s late. */
export function searchEvents(call: Call, sdk: Sdk, pageSize: number, search: StreamSearch): Promise<DatadogRows<DatadogEvent>> {
  return searchStream(search, pageSize, body => call.read(needs('events_read'), async () => (await sdk.v2()).events.searchEvents({ ...body, sort: '-timestamp' })), toEvent)
}

// Datadog answers the word 'undefined' for an event without a service.
const serviceOf = (inner: Record<string, unknown>): string | undefined => inner['service'] === 'undefined' ? undefined : textOf(inner['service'])

function toEvent(item: unknown): DatadogEvent | undefined {
  const raw = objectOf(item)
  const outer = objectOf(raw['attributes'])
  const inner = objectOf(outer['attributes'])
  const id = idOf(raw['id'])
  // The inner time has milliseconds, the outer one is cut to seconds.
  const at = timeOf(inner['timestamp']) ?? timeOf(outer['timestamp'])
  if (id === undefined || at === undefined) return undefined
  const tags = textsOf(outer['tags'])
  const message = textOf(outer['message']) ?? ''
  return {
    id, at, tags, message, title: textOf(inner['title']) ?? textOf(objectOf(inner['evt'])['name']) ?? message.split('\n', 1)[0] ?? '',
    ...defined({
      source: tagOf(tags, 'source') ?? textOf(inner['sourcetypename']),
      service: serviceOf(inner) ?? tagOf(tags, 'service'),
      host: textOf(inner['hostname']) ?? tagOf(tags, 'host'),
      status: textOf(inner['status'])
    })
  }
}
