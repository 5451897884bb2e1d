import { epochMs } from '../../../../core/index.ts'
import type { DatadogEvent, DatadogRows } from '../../contract.ts'
import type { Page } from './collect-pages.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, idOf, objectOf, tagOf, textOf, textsOf, timeOf } from './read-json.ts'
import { readStream, searchStream, type SearchBody, type StreamSearch } from './search-stream.ts'
import { needs, type Call } from './send-request.ts'

/**
 * Alert events appear about 30 s late and their own time may lie outside of the alert's; measured elsewhere as up to
 * minutes.
 */
const lateMs = 5 * 60_000

/** Events of a window (deploys, changes, alerts), newest first. */
export async function searchEvents(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { widen, ...search }: StreamSearch & { widen?: boolean }
): Promise<DatadogRows<DatadogEvent>> {
  const found = await searchStream(search, pageSize, sender(call, sdk), toEvent)
  if (!widen || found.rows.length > 0) return found
  const { from, to } = search.window
  const again = await searchStream(
    { ...search, window: { from: epochMs(from - lateMs), to: epochMs(to + lateMs) } },
    pageSize,
    sender(call, sdk),
    toEvent
  )
  return {
    ...again,
    warnings: [
      ...found.warnings,
      ...again.warnings,
      'nothing was found in the window asked for, so 5 minutes more at both ends were searched: events are indexed late'
    ]
  }
}

/** One page of events, newest first. */
export const readEvents = (
  call: Call,
  sdk: Sdk,
  search: StreamSearch,
  cursor: string | undefined
): Promise<Page> => readStream(search, cursor, sender(call, sdk))

const sender =
  (call: Call, sdk: Sdk) =>
  (body: SearchBody): Promise<unknown> =>
    call.read(needs('events_read'), async () =>
      (await sdk.v2()).events.searchEvents({ ...body, sort: '-timestamp' })
    )

// Datadog answers the word 'undefined' for an event without a service.
const serviceOf = (inner: Record<string, unknown>): string | undefined =>
  inner['service'] === 'undefined' ? undefined : textOf(inner['service'])

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
    id,
    at,
    tags,
    message,
    title:
      textOf(inner['title']) ??
      textOf(objectOf(inner['evt'])['name']) ??
      message.split('\n', 1)[0] ??
      '',
    ...defined({
      source: tagOf(tags, 'source') ?? textOf(inner['sourcetypename']),
      service: serviceOf(inner) ?? tagOf(tags, 'service'),
      host: textOf(inner['hostname']) ?? tagOf(tags, 'host'),
      status: textOf(inner['status'])
    })
  }
}
