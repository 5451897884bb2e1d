import { refuse } from './api-error.ts'
import { checkedScope, covers } from '../world/downtime-scope.ts'
import { concerns, downtimeStatus, groupTags, type Downtime } from '../world/downtimes.ts'
import { hash, mix } from '../world/random.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { bucketId } from './aggregates.ts'
import { author } from './people.ts'

/** Downtimes as the newer API shows them. */
export const downtimeRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v2/downtime',
    op: 'v2.DowntimesApi.createDowntime',
    scope: 'monitors_downtime',
    handle: create
  },
  {
    method: 'GET',
    path: '/api/v2/downtime',
    op: 'v2.DowntimesApi.listDowntimes',
    scope: 'monitors_downtime',
    handle: list
  },
  {
    method: 'GET',
    path: '/api/v2/downtime/:id',
    op: 'v2.DowntimesApi.getDowntime',
    scope: 'monitors_downtime',
    handle: call =>
      ok({
        data: resource(call, find(call)),
        ...(call.query.get('include') === null ? {} : { included: [author] })
      })
  },
  {
    method: 'PATCH',
    path: '/api/v2/downtime/:id',
    op: 'v2.DowntimesApi.updateDowntime',
    scope: 'monitors_downtime',
    handle: update
  },
  {
    method: 'DELETE',
    path: '/api/v2/downtime/:id',
    op: 'v2.DowntimesApi.cancelDowntime',
    scope: 'monitors_downtime',
    handle: cancel
  },
  {
    method: 'GET',
    path: '/api/v2/monitor/:id/downtime_matches',
    op: 'v2.DowntimesApi.listMonitorDowntimes',
    scope: 'monitors_downtime',
    handle: matching
  }
]

const fields = new Set([
  'scope',
  'monitor_identifier',
  'schedule',
  'message',
  'mute_first_recovery_notification',
  'notify_end_types',
  'notify_end_states',
  'display_timezone'
])
type Attributes = Record<string, unknown>

function attributesOf(body: unknown): Attributes {
  const data = (body as { data?: { type?: unknown; attributes?: unknown } } | undefined)?.data
  if (data?.type !== 'downtime' || typeof data.attributes !== 'object' || data.attributes === null)
    throw refuse(400, "Invalid request: 'data' must be of type 'downtime' with attributes")
  const unknown = Object.keys(data.attributes).find(key => !fields.has(key))
  if (unknown !== undefined)
    throw refuse(400, `Additional properties are not allowed ('${unknown}' was unexpected)`)
  return data.attributes as Attributes
}

function find({ account, params }: Call): Downtime {
  const id = params['id'] ?? ''
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
    throw refuse(400, 'Invalid URL param: downtime_id must be an uuid')
  const found = account.downtimes.get(id)
  if (!found) throw refuse(404, 'Downtime not found')
  return found
}

function create(call: Call): Reply {
  const given = attributesOf(call.body)
  if (typeof given['scope'] !== 'string' || given['monitor_identifier'] === undefined)
    throw refuse(400, "'scope' and 'monitor_identifier' are required")
  const downtime = newDowntime(call)
  change(downtime, given, call.now)
  call.account.downtimes.set(downtime.id, downtime)
  return ok({
    data: { ...resource(call, downtime), relationships: relationships(downtime) },
    included: [author]
  })
}

/** An empty downtime with the ids of both versions; the store is one. */
export function newDowntime({ account, now }: Call): Downtime {
  const seed = hash(account.world.seed, 'downtime', ++account.writes)
  return {
    id: bucketId(seed),
    v1Id: 1_500_000_000 + (seed % 500_000_000),
    scope: '*',
    monitorId: null,
    monitorTags: ['*'],
    message: null,
    start: now,
    end: null,
    recurrence: null,
    timezone: 'UTC',
    muteFirstRecovery: false,
    endTypes: ['expired'],
    endStates: ['alert', 'no data', 'warn'],
    created: now,
    modified: now,
    canceled: null
  }
}

function change(downtime: Downtime, given: Attributes, now: number): void {
  if (given['scope'] !== undefined) downtime.scope = checkedScope(given['scope'])
  const identifier = given['monitor_identifier'] as
    | { monitor_id?: number; monitor_tags?: string[] }
    | undefined
  if (identifier) {
    if ((identifier.monitor_id === undefined) === (identifier.monitor_tags === undefined))
      throw refuse(400, "'monitor_identifier' needs monitor_id or monitor_tags")
    Object.assign(downtime, {
      monitorId: identifier.monitor_id ?? null,
      monitorTags: identifier.monitor_tags ?? ['*']
    })
  }
  const schedule = given['schedule'] as
    | { start?: string | null; end?: string | null; recurrences?: unknown; timezone?: string }
    | null
    | undefined
  if (schedule) {
    Object.assign(downtime, {
      start: startOf(time(schedule.start, 'start'), downtime, now),
      end: time(schedule.end, 'end'),
      recurrence: schedule.recurrences ?? null,
      timezone: schedule.timezone ?? downtime.timezone
    })
    if (downtime.end !== null && downtime.end <= downtime.start)
      throw refuse(400, 'end must be after start')
  }
  if (given['message'] !== undefined) downtime.message = given['message'] as string | null
  if (given['display_timezone'] !== undefined) downtime.timezone = String(given['display_timezone'])
  if (given['mute_first_recovery_notification'] !== undefined)
    downtime.muteFirstRecovery = given['mute_first_recovery_notification'] === true
  if (given['notify_end_types'] !== undefined)
    downtime.endTypes = given['notify_end_types'] as string[]
  if (given['notify_end_states'] !== undefined)
    downtime.endStates = given['notify_end_states'] as string[]
  downtime.modified = now
}

function time(value: string | null | undefined, name: string): number | null {
  if (value === undefined || value === null) return null
  const at = Date.parse(value)
  if (Number.isNaN(at)) throw refuse(400, `Invalid value for '${name}': it must be an ISO time`)
  return at
}

/** Starting now takes a while to arrive; a start that is not moved may be long ago. */
const GRACE_MS = 60_000
/** The start a request asks for, epoch ms; refused in the past, as Datadog does. */
export function startOf(asked: number | null, downtime: Downtime, now: number): number {
  if (asked === null || asked === downtime.start) return downtime.start
  if (asked < now - GRACE_MS) throw refuse(400, 'Scheduled downtime start cannot be in the past')
  return asked
}

const iso = (at: number): string => new Date(at).toISOString().replace('Z', '000+00:00')
const relationships = (downtime: Downtime): object => ({
  created_by: { data: { type: 'users', id: author.id } },
  monitor: {
    data: downtime.monitorId === null ? null : { type: 'monitors', id: String(downtime.monitorId) }
  }
})

/** `notify_end_states` comes in another order with every read, as in the real thing. */
function resource(call: Call, downtime: Downtime): object {
  call.account.reads++
  const states = downtime.endStates.toSorted(
    (a, b) => mix(hash(a), call.account.reads) - mix(hash(b), call.account.reads)
  )
  const schedule = !Array.isArray(downtime.recurrence)
    ? { start: iso(downtime.start), end: downtime.end === null ? null : iso(downtime.end) }
    : {
        recurrences: downtime.recurrence,
        timezone: downtime.timezone,
        current_downtime: {
          start: iso(downtime.start),
          end: downtime.end === null ? null : iso(downtime.end)
        }
      }
  return {
    type: 'downtime',
    id: downtime.id,
    attributes: {
      mute_first_recovery_notification: downtime.muteFirstRecovery,
      status: downtimeStatus(downtime, call.now),
      created: iso(downtime.created),
      modified: iso(downtime.modified),
      canceled: downtime.canceled === null ? null : iso(downtime.canceled),
      monitor_identifier:
        downtime.monitorId === null
          ? { monitor_tags: downtime.monitorTags }
          : { monitor_id: downtime.monitorId },
      scope: downtime.scope,
      schedule,
      message: downtime.message,
      notify_end_types: downtime.endTypes,
      notify_end_states: states,
      display_timezone: downtime.timezone
    }
  }
}

function list(call: Call): Reply {
  const { account, query, now } = call
  const offset = Math.max(0, Number(query.get('page[offset]') ?? 0) || 0)
  const limit = Math.min(1000, Math.max(1, Number(query.get('page[limit]') ?? 30) || 30))
  const shown =
    query.get('current_only') === 'true' ? ['active'] : ['active', 'scheduled', 'canceled']
  const found = [...account.downtimes.values()].filter(downtime =>
    shown.includes(downtimeStatus(downtime, now))
  )
  const included = query.get('include') === null ? {} : { included: [author] }
  return ok({
    data: found.slice(offset, offset + limit).map(downtime => resource(call, downtime)),
    meta: { page: { total_filtered_count: found.length } },
    ...included
  })
}

function update(call: Call): Reply {
  const given = attributesOf(call.body)
  const downtime = find(call)
  change(downtime, given, call.now)
  return ok({
    data: { ...resource(call, downtime), relationships: relationships(downtime) },
    included: [author]
  })
}

/** Cancelling twice is no error. */
function cancel(call: Call): Reply {
  const id = call.params['id'] ?? ''
  const downtime = call.account.downtimes.get(id)
  if (!downtime) throw refuse(404, `Downtime ${id} not found`)
  downtime.canceled ??= call.now
  return { status: 204, type: 'text/html; charset=utf-8' }
}

function matching({ account, params, now }: Call): Reply {
  const monitor = account.monitors.find(m => String(m.id) === params['id'])
  if (!monitor) throw refuse(404, `Monitor with id ${params['id']} not found`)
  const groups = [...monitor.states(now).keys()]
  const data = [...account.downtimes.values()]
    .filter(
      downtime =>
        ['active', 'scheduled'].includes(downtimeStatus(downtime, now)) &&
        concerns(downtime, monitor)
    )
    .flatMap(downtime => {
      const hit = groups.filter(group => covers(downtime.scope, groupTags(monitor, group)))
      if (hit.length === 0) return []
      return [
        {
          type: 'downtime_match',
          id: downtime.id,
          attributes: {
            groups: hit.map(group => (group === '' ? '*' : group)),
            scope: downtime.scope,
            start: iso(downtime.start),
            end: downtime.end === null ? null : iso(downtime.end)
          }
        }
      ]
    })
  return ok({ data, meta: { page: { total_filtered_count: data.length } } })
}
