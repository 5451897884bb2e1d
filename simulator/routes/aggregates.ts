import { aggregate, readComputes, readGroups } from '../search/aggregate.ts'
import { searchLogs, tierOf } from '../search/log-search.ts'
import type { LogRow } from '../world/logs.ts'
import { hash, uuid } from '../world/random.ts'
import { buckets } from '../control/rate-limits.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { rumEvents, rumValue } from '../world/rum.ts'
import { readPath, tagValues } from '../search/match.ts'
import { rawFromBody, readSearch } from '../search/request.ts'
import { requestMeta } from './page.ts'

/** Counts of logs and of RUM events. */
export const aggregateRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v2/logs/analytics/aggregate',
    op: 'v2.LogsApi.aggregateLogs',
    bucket: buckets.logsAggregate,
    scope: 'logs_read_data',
    handle: logs
  },
  {
    method: 'POST',
    path: '/api/v2/rum/analytics/aggregate',
    op: 'v2.RUMApi.aggregateRUMEvents',
    scope: 'rum_apps_read',
    handle: rum
  }
]

/** A UUID from a seed, in the look of Datadog's. */
export const bucketId = (seed: number): string => uuid(hash('uuid', seed))

const logValue = (row: LogRow, facet: string): unknown =>
  facet === 'status'
    ? row.status
    : facet === 'host'
      ? row.host
      : facet.startsWith('@')
        ? readPath(row.attributes, facet.slice(1).split('.'))
        : tagValues(row.tags, facet)[0]

function request(call: Call) {
  const raw = { ...rawFromBody(call.body), limit: undefined, cursor: undefined, sort: undefined }
  return { ...readSearch(raw, call.now, call.cursorKey), limit: Infinity }
}

function logs(call: Call): Reply {
  const { filter = {} } = (call.body ?? {}) as {
    filter?: { storage_tier?: unknown; indexes?: unknown }
  }
  const rows = searchLogs(
    call.account.world.streams,
    request(call),
    call.now,
    tierOf(filter.storage_tier, filter.indexes)
  )
  return result(
    call,
    rows.map(row => ({ at: row.at, value: (facet: string) => logValue(row, facet) }))
  )
}

function rum(call: Call): Reply {
  return result(
    call,
    rumEvents(call.account.world, request(call), call.now).map(event => ({
      at: event.at,
      value: (facet: string) => rumValue(event, facet)
    }))
  )
}

function result(call: Call, rows: Parameters<typeof aggregate>[0]): Reply {
  const { compute, group_by } = (call.body ?? {}) as { compute?: unknown; group_by?: unknown }
  return ok({
    meta: requestMeta(hash(call.account.world.seed, JSON.stringify(call.body))),
    data: { buckets: aggregate(rows, readComputes(compute), readGroups(group_by)) }
  })
}
