import type { EpochSeconds } from '../../../../core/index.ts'
import {
  DatadogError,
  type DatadogMonitor,
  type DatadogRows,
  type MonitorHit
} from '../../contract.ts'
import { collectPages, type Page } from './collect-pages.ts'
import { toMonitor } from './get-monitor.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, idOf, isObject, numberOf, objectOf, textOf, textsOf } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

const searchPage = 100

/** Whole monitors, paged: without a page number Datadog would send every monitor at once. */
export async function listMonitors(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { name, tags, limit }: { name?: string; tags?: readonly string[]; limit: number }
): Promise<DatadogRows<DatadogMonitor>> {
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> => {
    const page = Number(cursor ?? 0)
    const items = await call.read(needs('monitors_read'), async () =>
      (await sdk.v1()).monitors.listMonitors(
        undefined,
        name,
        undefined,
        tags?.join(','),
        undefined,
        undefined,
        page,
        size
      )
    )
    if (!Array.isArray(items))
      throw new DatadogError('garbage', 'Datadog answered the monitor list without a list', {
        datadogStatus: 200
      })
    return { items, next: items.length < size ? undefined : String(page + 1) }
  }
  const collected = await collectPages({
    limit,
    pageSize,
    readPage,
    toRow: item => toMonitor(objectOf(item)),
    key: monitor => monitor.id
  })
  return {
    ...collected,
    asked: { query: [name, ...(tags ?? [])].filter(Boolean).join(' '), limit }
  }
}

/** Monitors by Datadog's search language, with their state; an unknown status is `invalid`. */
export async function searchMonitors(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { query, limit }: { query: string; limit: number }
): Promise<DatadogRows<MonitorHit>> {
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> =>
    readMonitors(call, sdk, { query, page: Number(cursor ?? 0), limit: size })
  const collected = await collectPages({
    limit,
    pageSize: Math.min(pageSize, searchPage),
    readPage,
    toRow: toHit,
    key: hit => hit.id
  })
  return { ...collected, asked: { query, limit } }
}

/** The states that call for somebody; one query each, because Datadog documents no OR here. */
export const triggeredQueries = ['status:alert', 'status:warn'] as const

/** Monitors in Alert or Warn, those in Alert first. */
export async function triggeredMonitors(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { limit }: { limit: number }
): Promise<DatadogRows<MonitorHit>> {
  const found = await Promise.all(
    triggeredQueries.map(query => searchMonitors(call, sdk, pageSize, { query, limit }))
  )
  const rows = [...new Map(found.flatMap(one => one.rows).map(row => [row.id, row])).values()]
  return {
    rows: rows.slice(0, limit),
    truncated: rows.length > limit || found.some(one => one.truncated),
    warnings: found.flatMap(one => one.warnings),
    asked: { query: triggeredQueries.join(' or '), limit }
  }
}

/** A page of the monitor search, counted from 0. */
export async function readMonitors(
  call: Call,
  sdk: Sdk,
  { query, page, limit }: { query: string; page: number; limit: number }
): Promise<Page> {
  const answer = await call.read(needs('monitors_read'), async () =>
    (await sdk.v1()).monitors.searchMonitors(query || undefined, page, limit)
  )
  if (!isObject(answer) || !Array.isArray(answer['monitors']))
    throw new DatadogError('garbage', 'Datadog answered a monitor search without monitors', {
      datadogStatus: 200
    })
  const items = answer['monitors']
  const total = numberOf(objectOf(answer['metadata'])['total_count'])
  const done = items.length < limit || (total !== undefined && (page + 1) * limit >= total)
  return { items, next: done ? undefined : String(page + 1), ...defined({ total }) }
}

function toHit(item: unknown): MonitorHit | undefined {
  const raw = objectOf(item)
  const id = idOf(raw['id'])
  if (id === undefined) return undefined
  return {
    id,
    name: textOf(raw['name']) ?? '',
    state: textOf(raw['status']) ?? textOf(raw['overall_state']) ?? 'unknown',
    type: textOf(raw['type']) ?? 'unknown',
    query: textOf(raw['query']) ?? '',
    tags: textsOf(raw['tags']),
    priority: numberOf(raw['priority']) ?? null,
    ...defined({ lastTriggered: numberOf(raw['last_triggered_ts']) as EpochSeconds | undefined })
  }
}
