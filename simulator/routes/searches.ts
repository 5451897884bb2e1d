import { eventJson } from '../world/event-row.ts'
import { searchEvents } from '../world/events.ts'
import { logJson, searchLogs, tierOf } from '../search/log-search.ts'
import { buckets } from '../control/rate-limits.ts'
import type { Call, Reply, Route } from './route.ts'
import { rawFromBody, rawFromQuery, readSearch, type RawSearch } from '../search/request.ts'
import { answer } from './page.ts'

/** Searches of logs and events. */
export const searchRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v2/logs/events/search',
    op: 'v2.LogsApi.listLogs',
    bucket: buckets.logsSearch,
    scope: 'logs_read_data',
    handle: call => logs(call, rawFromBody(call.body), filterOf(call.body))
  },
  {
    method: 'GET',
    path: '/api/v2/logs/events',
    op: 'v2.LogsApi.listLogsGet',
    bucket: buckets.logsSearch,
    scope: 'logs_read_data',
    handle: call =>
      logs(call, rawFromQuery(call.query), {
        storage_tier: call.query.get('filter[storage_tier]') ?? undefined,
        indexes: call.query.get('filter[indexes]')?.split(',')
      })
  },
  {
    method: 'POST',
    path: '/api/v2/events/search',
    op: 'v2.EventsApi.searchEvents',
    scope: 'events_read',
    handle: call => events(call, rawFromBody(call.body))
  },
  {
    method: 'GET',
    path: '/api/v2/events',
    op: 'v2.EventsApi.listEvents',
    scope: 'events_read',
    handle: call => events(call, rawFromQuery(call.query))
  }
]

interface LogFilter {
  readonly storage_tier?: unknown
  readonly indexes?: unknown
}
const filterOf = (body: unknown): LogFilter =>
  (body as { filter?: LogFilter } | undefined)?.filter ?? {}

function logs(call: Call, raw: RawSearch, filter: LogFilter): Reply {
  const request = readSearch(raw, call.now, call.cursorKey)
  const rows = searchLogs(
    call.account.world.streams,
    request,
    call.now,
    tierOf(filter.storage_tier, filter.indexes)
  )
  return answer(call, raw, request, rows, rows.map(logJson), true)
}

function events(call: Call, raw: RawSearch): Reply {
  const request = readSearch(raw, call.now, call.cursorKey, false)
  const rows = searchEvents(call.account, request, call.now)
  return answer(call, raw, request, rows, rows.map(eventJson), rows.length > 0)
}
