import { eventJson, searchEvents } from '../events.ts'
import { logJson, searchLogs } from '../log-search.ts'
import { hash, hex } from '../random.ts'
import { buckets } from '../rate-limits.ts'
import type { Call, Reply, Route } from '../route.ts'
import { rawFromBody, rawFromQuery, readSearch, writeCursor, type RawSearch, type SearchRequest } from '../search/request.ts'

export const searchRoutes: readonly Route[] = [
  { method: 'POST', path: '/api/v2/logs/events/search', op: 'v2.LogsApi.listLogs', bucket: buckets.logsSearch, handle: call => logs(call, rawFromBody(call.body)) },
  { method: 'GET', path: '/api/v2/logs/events', op: 'v2.LogsApi.listLogsGet', bucket: buckets.logsSearch, handle: call => logs(call, rawFromQuery(call.query)) },
  { method: 'POST', path: '/api/v2/events/search', op: 'v2.EventsApi.searchEvents', handle: call => events(call, rawFromBody(call.body)) },
  { method: 'GET', path: '/api/v2/events', op: 'v2.EventsApi.listEvents', handle: call => events(call, rawFromQuery(call.query)) }
]

function logs(call: Call, raw: RawSearch): Reply {
  const request = readSearch(raw, call.now, call.cursorKey)
  const rows = searchLogs(call.account.world.streams, request, call.now)
  return answer(call, raw, request, rows, rows.map(logJson), true)
}

function events(call: Call, raw: RawSearch): Reply {
  const request = readSearch(raw, call.now, call.cursorKey, false)
  const rows = searchEvents(call.account.world, call.account.monitors, request, call.now)
  return answer(call, raw, request, rows, rows.map(eventJson), rows.length > 0)
}

function answer(call: Call, raw: RawSearch, request: SearchRequest, rows: readonly { at: number; id: string }[], data: readonly string[], withMeta: boolean): Reply {
  const last = rows.length === request.limit ? rows.at(-1) : undefined
  const after = last && writeCursor({ at: last.at, id: last.id }, request.cursorKey)
  const id = hash(call.account.world.seed, request.from, request.to, JSON.stringify(raw))
  const meta = { elapsed: id % 40, request_id: `pddv1Ch${hex(id, 56)}`, status: 'done', ...after === undefined ? {} : { page: { after } } }
  const rest = withMeta ? { meta, ...after === undefined ? {} : { links: { next: nextLink(call, raw, request, after) } } } : {}
  const tail = JSON.stringify(rest).slice(1)
  return { status: 200, text: `{"data":[${data.join(',')}]${tail === '}' ? '' : ','}${tail}` }
}

function nextLink(call: Call, raw: RawSearch, request: SearchRequest, after: string): string {
  const given: readonly (readonly [string, unknown])[] = [['filter[query]', raw.query], ['filter[from]', raw.from], ['filter[to]', raw.to], ['page[cursor]', after], ['page[limit]', request.limit], ['sort', raw.sort]]
  const query = new URLSearchParams(given.flatMap(([key, value]): [string, string][] => value === undefined ? [] : [[key, String(value as string)]]))
  return `https://api.${call.account.spec.site}${call.url}?${query}`
}
