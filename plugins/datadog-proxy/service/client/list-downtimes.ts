import { DatadogError, type DatadogDowntime, type DatadogRows } from '../../contract.ts'
import { collectPages, type Page } from './collect-pages.ts'
import type { Sdk } from './load-sdk.ts'
import {
  defined,
  idOf,
  isObject,
  numberOf,
  objectOf,
  textOf,
  textsOf,
  timeOf
} from './read-json.ts'
import { needs, type Call } from './send-request.ts'

const pageSize = 100

/** Downtimes in Datadog's order; `currentOnly` leaves out those that are over or have not begun. */
export async function listDowntimes(
  call: Call,
  sdk: Sdk,
  largest: number,
  { currentOnly = false, limit }: { currentOnly?: boolean; limit: number }
): Promise<DatadogRows<DatadogDowntime>> {
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> =>
    readDowntimes(call, sdk, { currentOnly, offset: Number(cursor ?? 0), limit: size })
  const collected = await collectPages({
    limit,
    pageSize: Math.min(largest, pageSize),
    readPage,
    toRow: toDowntime,
    key: downtime => downtime.id
  })
  return {
    ...collected,
    asked: { query: currentOnly ? 'downtimes that are active now' : 'all downtimes', limit }
  }
}

/** A slice of the downtimes. */
export async function readDowntimes(
  call: Call,
  sdk: Sdk,
  { currentOnly, offset, limit }: { currentOnly: boolean; offset: number; limit: number }
): Promise<Page> {
  const answer = await call.read(needs('monitors_downtime'), async () =>
    (await sdk.v2()).downtimes.listDowntimes(
      currentOnly || undefined,
      undefined,
      offset || undefined,
      limit
    )
  )
  if (!isObject(answer) || !Array.isArray(answer['data']))
    throw new DatadogError('garbage', 'Datadog answered a list of downtimes without a list', {
      datadogStatus: 200
    })
  const items = answer['data']
  const total = numberOf(objectOf(objectOf(answer['meta'])['page'])['total_filtered_count'])
  const end = offset + items.length
  return {
    items,
    next: items.length < limit || (total !== undefined && end >= total) ? undefined : String(end),
    ...defined({ total })
  }
}

/** One downtime; the schedule of a recurring one is that of its current or next time. */
export function toDowntime(item: unknown): DatadogDowntime | undefined {
  const raw = objectOf(item)
  const attributes = objectOf(raw['attributes'])
  const schedule = objectOf(attributes['schedule'])
  const once = isObject(schedule['current_downtime']) ? schedule['current_downtime'] : schedule
  const monitor = objectOf(attributes['monitor_identifier'])
  const id = idOf(raw['id'])
  if (id === undefined || typeof attributes['scope'] !== 'string') return undefined
  return {
    id,
    scope: attributes['scope'],
    status: textOf(attributes['status']) ?? 'unknown',
    message: textOf(attributes['message']) ?? '',
    monitorTags: textsOf(monitor['monitor_tags']),
    ...defined({
      monitorId: idOf(monitor['monitor_id']),
      from: timeOf(once['start']),
      to: timeOf(once['end'])
    })
  }
}
