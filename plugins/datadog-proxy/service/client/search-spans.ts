import type { Ns } from '../../../../core/index.ts'
import type { DatadogRows, DatadogSpan } from '../../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, idOf, numberOf, objectOf, textOf, textsOf, timeOf } from './read-json.ts'
import { searchStream, type StreamSearch } from './search-stream.ts'
import { needs, type Call } from './send-request.ts'

/**
 * Spans of a window, newest first unless asked otherwise. The trace endpoint is left aside: it sends ids as numbers
 * beyond 2^53.
 */
export function searchSpans(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { sort, ...search }: StreamSearch & { sort?: 'oldest' | 'newest' }
): Promise<DatadogRows<DatadogSpan>> {
  return searchStream(
    search,
    pageSize,
    body =>
      call.read(needs('apm_read'), async () =>
        (await sdk.v2()).spans.listSpans({
          data: {
            type: 'search_request',
            attributes: { ...body, sort: sort === 'oldest' ? 'timestamp' : '-timestamp' }
          }
        })
      ),
    toSpan
  )
}

function toSpan(item: unknown): DatadogSpan | undefined {
  const raw = objectOf(item)
  const outer = objectOf(raw['attributes'])
  const custom = objectOf(outer['custom'])
  const id = idOf(raw['id'])
  const traceId = idOf(outer['trace_id'])
  const spanId = idOf(outer['span_id'])
  const at = timeOf(outer['start_timestamp'])
  if (id === undefined || traceId === undefined || spanId === undefined || at === undefined)
    return undefined
  const parentId = idOf(outer['parent_id'])
  return {
    id,
    traceId,
    spanId,
    at,
    service: textOf(outer['service']) ?? 'unknown',
    resource: textOf(outer['resource_name']) ?? '',
    tags: textsOf(outer['tags']),
    attributes: custom,
    // 0 stands for "no parent".
    ...(parentId === undefined || parentId === '0' ? {} : { parentId }),
    ...defined({
      operation: textOf(outer['operation_name']),
      env: textOf(outer['env']),
      host: textOf(outer['host']),
      status: textOf(outer['status']) ?? textOf(custom['status']),
      durationNs: durationOf(custom, outer) as Ns | undefined
    })
  }
}

function durationOf(
  custom: Readonly<Record<string, unknown>>,
  outer: Readonly<Record<string, unknown>>
): number | undefined {
  const stated = numberOf(custom['duration'])
  const [start, end] = [timeOf(outer['start_timestamp']), timeOf(outer['end_timestamp'])]
  return stated ?? (start === undefined || end === undefined ? undefined : (end - start) * 1e6)
}
