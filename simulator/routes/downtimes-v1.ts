import { refuse } from './api-error.ts'
import { downtimeStatus, type Downtime } from '../world/downtimes.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { checkedScope } from '../world/downtime-scope.ts'
import { newDowntime, startOf } from './downtimes-v2.ts'

/** The older downtimes: another shape over the same store. */
export const oldDowntimeRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/downtime',
    op: 'v1.DowntimesApi.createDowntime',
    scope: 'monitors_downtime',
    handle: create
  },
  {
    method: 'GET',
    path: '/api/v1/downtime',
    op: 'v1.DowntimesApi.listDowntimes',
    scope: 'monitors_downtime',
    handle: call =>
      ok(
        [...call.account.downtimes.values()]
          .filter(
            d =>
              call.query.get('current_only') !== 'true' || downtimeStatus(d, call.now) === 'active'
          )
          .map(d => ({
            ...resource(call, d),
            ...(call.query.get('with_creator') === 'true'
              ? {
                  creator: {
                    id: 1445416,
                    email: 'sre@example.com',
                    handle: 'sre@example.com',
                    name: 'SRE'
                  }
                }
              : {})
          }))
      )
  },
  {
    method: 'GET',
    path: '/api/v1/downtime/:id',
    op: 'v1.DowntimesApi.getDowntime',
    scope: 'monitors_downtime',
    handle: call => ok(resource(call, find(call, 'Downtime not found')))
  },
  {
    method: 'PUT',
    path: '/api/v1/downtime/:id',
    op: 'v1.DowntimesApi.updateDowntime',
    scope: 'monitors_downtime',
    handle: update
  },
  {
    method: 'DELETE',
    path: '/api/v1/downtime/:id',
    op: 'v1.DowntimesApi.cancelDowntime',
    scope: 'monitors_downtime',
    handle: call => {
      find(call, `Downtime ${call.params['id']} not found`).canceled ??= call.now
      return { status: 204, type: 'text/html; charset=utf-8' }
    }
  },
  {
    method: 'POST',
    path: '/api/v1/downtime/cancel/by_scope',
    op: 'v1.DowntimesApi.cancelDowntimesByScope',
    scope: 'monitors_downtime',
    handle: cancelByScope
  }
]

function find({ account, params }: Call, message: string): Downtime {
  const found = [...account.downtimes.values()].find(
    downtime => String(downtime.v1Id) === params['id']
  )
  if (!found) throw refuse(404, message)
  return found
}

const scopeText = (scope: unknown): string =>
  checkedScope(Array.isArray(scope) ? scope.join(' AND ') : scope)

function create(call: Call): Reply {
  const given = (call.body ?? {}) as Record<string, unknown>
  if (given['scope'] === undefined) throw refuse(400, 'Invalid scope parameter')
  const downtime = newDowntime(call)
  change(downtime, given, call.now)
  call.account.downtimes.set(downtime.id, downtime)
  return ok(resource(call, downtime))
}

function change(downtime: Downtime, given: Record<string, unknown>, now: number): void {
  const seconds = (name: string): number | null =>
    typeof given[name] === 'number' ? given[name] * 1000 : null
  if (given['scope'] !== undefined) downtime.scope = scopeText(given['scope'])
  if (given['start'] !== undefined) downtime.start = startOf(seconds('start'), downtime, now)
  if (given['end'] !== undefined) downtime.end = seconds('end')
  if (given['monitor_id'] !== undefined) downtime.monitorId = given['monitor_id'] as number | null
  if (Array.isArray(given['monitor_tags'])) downtime.monitorTags = given['monitor_tags'] as string[]
  if (given['message'] !== undefined) downtime.message = given['message'] as string | null
  if (given['recurrence'] !== undefined) downtime.recurrence = given['recurrence']
  if (given['timezone'] !== undefined) downtime.timezone = String(given['timezone'])
  if (given['mute_first_recovery_notification'] !== undefined)
    downtime.muteFirstRecovery = given['mute_first_recovery_notification'] === true
  if (Array.isArray(given['notify_end_types']))
    downtime.endTypes = given['notify_end_types'] as string[]
  if (Array.isArray(given['notify_end_states']))
    downtime.endStates = given['notify_end_states'] as string[]
  downtime.modified = now
}

function update(call: Call): Reply {
  const downtime = find(call, 'Downtime not found')
  change(downtime, (call.body ?? {}) as Record<string, unknown>, call.now)
  return ok({ ...resource(call, downtime), updater_id: 1445416 })
}

function cancelByScope(call: Call): Reply {
  const scope = scopeText((call.body as { scope?: unknown } | undefined)?.scope)
  const found = [...call.account.downtimes.values()].filter(
    downtime => downtime.scope === scope && downtime.canceled === null
  )
  if (found.length === 0) throw refuse(404, 'No downtimes found')
  for (const downtime of found) downtime.canceled = call.now
  return ok({ cancelled_ids: found.map(downtime => downtime.v1Id) })
}

const seconds = (at: number | null): number | null => (at === null ? null : Math.floor(at / 1000))

function resource({ account, now }: Call, d: Downtime): object {
  const status = downtimeStatus(d, now)
  const recurrence =
    d.recurrence === null || Array.isArray(d.recurrence)
      ? null
      : {
          type: null,
          period: null,
          week_days: null,
          until_occurrences: null,
          until_date: null,
          ...(d.recurrence as object)
        }
  return {
    id: d.v1Id,
    monitor_id: d.monitorId,
    org_id: account.spec.orgId,
    start: seconds(d.start),
    end: seconds(d.end),
    canceled: seconds(d.canceled),
    created: seconds(d.created),
    modified: seconds(d.modified),
    message: d.message,
    active: status === 'active',
    disabled: status === 'canceled',
    recurrence,
    timezone: d.timezone,
    parent_id: null,
    child_id: null,
    creator_id: 1445416,
    updater_id: null,
    downtime_type: d.scope.startsWith('host:') ? 1 : 2,
    status,
    monitor_tags: d.monitorTags,
    mute_first_recovery_notification: d.muteFirstRecovery,
    notify_end_types: d.endTypes,
    notify_end_states: d.endStates,
    uuid: d.id,
    scope: d.scope.split(/(?<!\s)\s+AND\s+|,/)
  }
}
