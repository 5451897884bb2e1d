import { hash } from '../world/random.ts'
import { eventRow, type EventParts, type EventRow } from '../world/event-row.ts'
import { tagValues } from '../search/match.ts'
import type { Call, Reply, Route } from './route.ts'

/** The intake of the newer API: changes and alerts. */
export const eventIntakeRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v2/events',
    op: 'v2.EventsApi.createEvent',
    apiKeyOnly: true,
    handle: intake
  }
]

/** How far back an event may be posted. */
const OLDEST_MS = 18 * 3_600_000
/** True when neither intake takes an event of that time, epoch ms. */
export const isTooOld = (at: number, now: number): boolean => !(at > now - OLDEST_MS)

/** The service that a list of tags names. */
export const serviceOf = (tags: readonly string[]): { service?: string } => {
  const service = tagValues(tags, 'service')[0]
  return service === undefined ? {} : { service }
}

/** Keeps an event; it can be found once it is indexed. */
export function writeEvent(call: Call, at: number, parts: Omit<EventParts, 'at'>): EventRow {
  const { account, now } = call
  const row = eventRow(hash(account.world.seed, 'written', ++account.writes), { at, ...parts })
  const kept = { ...row, visibleAt: now + (row.visibleAt - row.at) }
  account.events.push(kept)
  return kept
}

interface Resource {
  readonly name?: unknown
  readonly type?: unknown
}
/** What an event of the newer intake may say; every field is the caller's. */
interface Given {
  readonly category?: unknown
  readonly title?: unknown
  readonly message?: unknown
  readonly tags?: unknown
  readonly host?: unknown
  readonly timestamp?: unknown
  readonly aggregation_key?: unknown
  readonly attributes?: {
    readonly status?: unknown
    readonly changed_resource?: Resource
    readonly impacted_resources?: readonly Resource[]
  }
}

/** What is wrong with an event, in Datadog's words, or undefined. */
function refusal(type: unknown, given: Given | undefined): string | undefined {
  const at = '$.data.attributes'
  if (type !== 'event' || !given) return '$.data.type: value must be "event".'
  if (given.category !== 'change' && given.category !== 'alert')
    return `${at}.category: value must be one of: ["alert", "change"].`
  if (typeof given.title !== 'string' || given.title === '')
    return `${at}.title: value is required.`
  if (given.category === 'change' && typeof given.attributes?.changed_resource?.name !== 'string')
    return `${at}.attributes.changed_resource: value is required.`
  return undefined
}

const invalid = (where: string): Reply => ({
  status: 400,
  body: {
    errors: [{ status: '400', title: 'Bad Request', detail: `JSON validation failed at ${where}` }]
  }
})

/** The fields a search knows without @. */
function reservedOf(given: Given, category: string, tags: readonly string[]) {
  const { attributes, host } = given
  const impacted = Array.isArray(attributes?.impacted_resources)
    ? attributes.impacted_resources.find(one => one.type === 'service')?.name
    : undefined
  return {
    source: category,
    status: category === 'alert' ? String(attributes?.status ?? 'warn') : 'info',
    priority: 'normal',
    ...(typeof impacted === 'string' ? { service: impacted } : serviceOf(tags)),
    ...(typeof host === 'string' ? { host } : {})
  }
}

function intake(call: Call): Reply {
  const data = (call.body as { data?: { type?: unknown; attributes?: Given } } | undefined)?.data
  const given = data?.attributes
  const wrong = refusal(data?.type, given)
  if (wrong !== undefined || !given) return invalid(wrong ?? '$.data: value is required.')
  const at = typeof given.timestamp === 'string' ? Date.parse(given.timestamp) : call.now
  if (isTooOld(at, call.now))
    return invalid('$.data.attributes.timestamp: value must not be older than 18 hours.')
  const category = String(given.category)
  const tags = Array.isArray(given.tags) ? given.tags.map(String) : []
  const { aggregation_key: key, message } = given
  const row = writeEvent(call, at, {
    title: String(given.title),
    message: typeof message === 'string' ? message : '',
    tags: [...tags, `source:${category}`],
    reserved: reservedOf(given, category, tags),
    type: category,
    key: typeof key === 'string' ? key : category,
    more: { category, ...given.attributes }
  })
  return {
    status: 202,
    body: {
      data: {
        attributes: { attributes: { evt: { id: row.evtId, uid: row.id } } },
        id: '_',
        type: 'event'
      },
      links: { self: `https://app.${call.account.spec.site}/event/event?uid=${row.id}` }
    }
  }
}
