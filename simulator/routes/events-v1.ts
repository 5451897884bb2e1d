import { refuse } from './api-error.ts'
import { eventsBetween } from '../world/events.ts'
import type { EventRow } from '../world/event-row.ts'
import { isTooOld, serviceOf, writeEvent } from './event-intake.ts'
import type { Call, Reply, Route } from './route.ts'

/** The older events and their intake. */
export const eventRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/events',
    op: 'v1.EventsApi.createEvent',
    apiKeyOnly: true,
    handle: create
  },
  {
    method: 'GET',
    path: '/api/v1/events',
    op: 'v1.EventsApi.listEvents',
    scope: 'events_read',
    handle: list
  },
  {
    method: 'GET',
    path: '/api/v1/events/:id',
    op: 'v1.EventsApi.getEvent',
    scope: 'events_read',
    handle: get
  }
]

const HOUR = 3_600_000
const DAY = 24 * HOUR
const alertTypes: Readonly<Record<string, string>> = {
  error: 'error',
  warn: 'warning',
  ok: 'success',
  info: 'info'
}
const statuses: Readonly<Record<string, string>> = {
  error: 'error',
  warning: 'warn',
  success: 'ok'
}
/** Numbers beyond 2^53 go out digit by digit; a text of this form becomes one. */
const integers = (value: unknown): string => JSON.stringify(value).replace(/"@int:(\d+)"/g, '$1')

function resource(row: EventRow, listed: boolean): object {
  const id = row.evtId
  return {
    date_happened: Math.floor(row.at / 1000),
    alert_type: alertTypes[row.reserved['status'] ?? 'info'] ?? 'info',
    ...(listed ? { is_aggregate: false } : {}),
    title: row.title,
    url: `/event/event?id=${id}`,
    text: row.message,
    tags: row.tags,
    ...(listed ? { comments: [], source: row.reserved['source'] ?? '' } : {}),
    device_name: null,
    priority: row.reserved['priority'] ?? 'normal',
    host: row.reserved['host'] ?? null,
    resource: `/api/v1/events/${id}`,
    id: `@int:${id}`
  }
}

function list({ account, query, now }: Call): Reply {
  const [start, end] = ['start', 'end'].map(name =>
    /^\d{1,11}$/.test(query.get(name) ?? '') ? Number(query.get(name)) * 1000 : NaN
  )
  if (start === undefined || end === undefined || Number.isNaN(start) || Number.isNaN(end))
    throw refuse(400, "The 'start' and 'end' parameters are required and must be POSIX timestamps")
  if (end - start > 32 * DAY) throw refuse(400, 'The time range is limited to 32 days')
  const sources = query.get('sources')?.toLowerCase().split(',')
  const tags = query.get('tags')?.split(',') ?? []
  const priority = query.get('priority')
  const page = Math.max(0, Number(query.get('page') ?? 0) || 0)
  const rows = eventsBetween(account, start, Math.min(end, now))
    .filter(
      row =>
        row.visibleAt <= now &&
        (!sources || sources.includes((row.reserved['source'] ?? '').toLowerCase())) &&
        tags.every(tag => row.tags.includes(tag)) &&
        (priority === null ||
          priority === 'all' ||
          (row.reserved['priority'] ?? 'normal') === priority)
    )
    .toReversed()
  return {
    status: 200,
    text: integers({
      events: rows.slice(page * 1000, (page + 1) * 1000).map(row => resource(row, true))
    })
  }
}

function get({ account, params, now }: Call): Reply {
  const wanted = (row: EventRow): boolean => row.visibleAt <= now && row.evtId === params['id']
  // Those of monitors cost an evaluation of their metrics, so they are looked for last and not as far back.
  const found =
    eventsBetween({ ...account, monitors: [] }, now - 7 * DAY, now).find(wanted) ??
    eventsBetween(account, now - 6 * HOUR, now).find(wanted)
  if (!found) throw refuse(404, 'No event matches that event_id')
  return { status: 200, text: integers({ event: resource(found, false) }) }
}

function create(call: Call): Reply {
  const given = (call.body ?? {}) as Record<string, unknown>
  const { title, text, tags, host, date_happened: happened } = given
  if (typeof title !== 'string' || typeof text !== 'string')
    throw refuse(400, "'title' and 'text' are required")
  const at = happened === undefined ? call.now : Number(happened) * 1000
  if (isTooOld(at, call.now))
    return {
      status: 400,
      type: 'text/plain; charset=utf-8',
      text: '{"errors":["Event too far in the past"]}'
    }
  const given_tags = Array.isArray(tags) ? tags.map(String) : []
  const source = String(given['source_type_name'] ?? 'my_apps').toLowerCase()
  const reserved = {
    source,
    status: statuses[String(given['alert_type'] ?? '')] ?? 'info',
    priority: String(given['priority'] ?? 'normal'),
    ...serviceOf(given_tags),
    ...(typeof host === 'string' ? { host } : {})
  }
  const row = writeEvent(call, at, {
    title,
    message: text,
    tags: [...given_tags, `source:${source}`],
    reserved,
    type: 'api',
    key: String(given['aggregation_key'] ?? 'api'),
    more: {}
  })
  return {
    status: 202,
    body: {
      status: 'ok',
      event: written(call, row, { priority: given['priority'] ?? null, tags: given_tags })
    }
  }
}

/** The server itself rounds `id`; `id_str` and the address keep all digits. */
function written(
  call: Call,
  { evtId: id, title, message, at }: EventRow,
  given: { readonly priority: unknown; readonly tags: readonly string[] }
): object {
  return {
    id: Number(id),
    id_str: id,
    title,
    text: message,
    date_happened: Math.floor(at / 1000),
    handle: null,
    priority: given.priority,
    related_event_id: null,
    tags: given.tags.length > 0 ? given.tags : null,
    url: `https://app.${call.account.spec.site}/event/event?id=${id}`
  }
}
