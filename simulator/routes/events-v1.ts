import { refuse } from './api-error.ts'
import { eventRow, eventsBetween, type EventRow } from '../world/events.ts'
import { hash } from '../world/random.ts'
import type { Call, Reply, Route } from './route.ts'
import { tagValues } from '../search/match.ts'

/** The older events and the two intakes. */
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
  },
  {
    method: 'POST',
    path: '/api/v2/events',
    op: 'v2.EventsApi.createEvent',
    apiKeyOnly: true,
    handle: intake
  }
]

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** How far back an event may be posted. */
const OLDEST = 18 * 3_600_000
const idOf = (row: EventRow): string => (row.attributes['evt'] as { id: string }).id
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
  const id = idOf(row)
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
  const wanted = (row: EventRow): boolean => row.visibleAt <= now && idOf(row) === params['id']
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
  if (!(at > call.now - OLDEST))
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
  const row = write(call, at, {
    title,
    message: text,
    tags: [...given_tags, `source:${source}`],
    reserved,
    type: 'api',
    key: String(given['aggregation_key'] ?? 'api'),
    more: {}
  })
  const id = idOf(row)
  const url = `https://app.${call.account.spec.site}/event/event?id=${id}`
  // The server itself rounds `id`; `id_str` and the address keep all digits.
  return {
    status: 202,
    body: {
      status: 'ok',
      event: {
        id: Number(id),
        id_str: id,
        title,
        text,
        date_happened: Math.floor(at / 1000),
        handle: null,
        priority: given['priority'] ?? null,
        related_event_id: null,
        tags: given_tags.length > 0 ? given_tags : null,
        url
      }
    }
  }
}

const serviceOf = (tags: readonly string[]): { service?: string } => {
  const service = tagValues(tags, 'service')[0]
  return service === undefined ? {} : { service }
}

type Written = Omit<Parameters<typeof eventRow>[1], 'at'>
/** Keeps an event; it can be found once it is indexed. */
function write(call: Call, at: number, parts: Written): EventRow {
  const { account, now } = call
  const row = eventRow(hash(account.world.seed, 'written', ++account.writes), { at, ...parts })
  const kept = { ...row, visibleAt: now + (row.visibleAt - row.at) }
  account.events.push(kept)
  return kept
}

const invalid = (detail: string): Reply => ({
  status: 400,
  body: { errors: [{ status: '400', title: 'Bad Request', detail }] }
})

function intake(call: Call): Reply {
  const data = (
    call.body as { data?: { type?: unknown; attributes?: Record<string, unknown> } } | undefined
  )?.data
  const given = data?.attributes
  if (data?.type !== 'event' || !given)
    return invalid('JSON validation failed at $.data.type: value must be "event".')
  const {
    category,
    title,
    message,
    tags,
    attributes,
    host,
    aggregation_key: key
  } = given as Record<string, unknown> & { attributes?: Record<string, unknown> }
  if (category !== 'change' && category !== 'alert')
    return invalid(
      'JSON validation failed at $.data.attributes.category: value must be one of: ["alert", "change"].'
    )
  if (typeof title !== 'string' || title === '')
    return invalid('JSON validation failed at $.data.attributes.title: value is required.')
  if (
    category === 'change' &&
    typeof (attributes?.['changed_resource'] as { name?: unknown } | undefined)?.name !== 'string'
  )
    return invalid(
      'JSON validation failed at $.data.attributes.attributes.changed_resource: value is required.'
    )
  const at = typeof given['timestamp'] === 'string' ? Date.parse(given['timestamp']) : call.now
  if (!(at > call.now - OLDEST))
    return invalid(
      'JSON validation failed at $.data.attributes.timestamp: value must not be older than 18 hours.'
    )
  const given_tags = Array.isArray(tags) ? tags.map(String) : []
  const impacted = (
    attributes?.['impacted_resources'] as { name?: string; type?: string }[] | undefined
  )?.find(one => one.type === 'service')?.name
  const reserved = {
    source: category,
    status: category === 'alert' ? String(attributes?.['status'] ?? 'warn') : 'info',
    priority: 'normal',
    ...(impacted === undefined ? serviceOf(given_tags) : { service: impacted }),
    ...(typeof host === 'string' ? { host } : {})
  }
  const row = write(call, at, {
    title,
    message: typeof message === 'string' ? message : '',
    tags: [...given_tags, `source:${category}`],
    reserved,
    type: category,
    key: typeof key === 'string' ? key : category,
    more: { category, ...attributes }
  })
  return {
    status: 202,
    body: {
      data: {
        attributes: { attributes: { evt: { id: idOf(row), uid: row.id } } },
        id: '_',
        type: 'event'
      },
      links: { self: `https://app.${call.account.spec.site}/event/event?uid=${row.id}` }
    }
  }
}
