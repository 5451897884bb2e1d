import type { Account } from '../world/accounts.ts'
import { covers } from '../world/downtime-scope.ts'
import { concerns, downtimeStatus, groupTags } from '../world/downtimes.ts'
import type { Monitor } from '../world/monitors.ts'
import { hash } from '../world/random.ts'
import type { World } from '../world/world.ts'

const iso = (at: number): string => new Date(at).toISOString().replace('Z', '000+00:00')
const createdAt = (world: World, monitor: Monitor): number =>
  world.t0 - 86_400_000 * (30 + (hash(monitor.id) % 400))
/** Who made every monitor. */
export const creator = {
  name: null,
  handle: 'sre@example.com',
  email: 'sre@example.com',
  id: 1445416
}

/** How a monitor is shown: `states` asks for its groups, `withDowntimes` for what silences it; `now` in epoch ms. */
export interface MonitorView {
  readonly now: number
  readonly states?: ReadonlySet<string> | undefined
  readonly withDowntimes?: boolean
}

/** A monitor as the v1 API shows it. */
export function monitorResource(account: Account, monitor: Monitor, view: MonitorView): object {
  const { spec, id, draft } = monitor
  const { world } = account
  const { now, states } = view
  const created = draft?.created ?? createdAt(world, monitor)
  const changed = monitor.last(now)?.at ?? (draft ? undefined : created + 120_000)
  return {
    id,
    org_id: world.account.orgId,
    type: spec.type,
    name: spec.name,
    message: spec.message,
    tags: spec.tags,
    query: spec.query,
    options: optionsOf(monitor),
    multi: isGrouped(monitor),
    created_at: Math.floor(created / 1000) * 1000,
    created: iso(created),
    modified: iso(draft?.modified ?? created),
    deleted: null,
    restricted_roles: null,
    priority: spec.priority ?? null,
    overall_state_modified:
      changed === undefined ? null : new Date(changed).toISOString().replace(/\.\d+Z/, '+00:00'),
    overall_state: monitor.overall(now),
    creator,
    restriction_policy: null,
    draft_status: 'published',
    restricted: false,
    assets: draft?.assets ?? [],
    matching_downtimes: view.withDowntimes ? matchingDowntimes(account, monitor, now) : [],
    ...(states === undefined ? {} : { state: { groups: groups(monitor, now, states) } })
  }
}

function optionsOf({ spec, query, draft }: Monitor): object {
  return {
    notify_audit: false,
    locked: false,
    include_tags: true,
    thresholds: {
      critical: query.critical,
      ...(spec.warning === undefined ? {} : { warning: spec.warning })
    },
    new_host_delay: 300,
    ...(draft ? {} : { require_full_window: true }),
    notify_no_data: spec.notifyNoData ?? false,
    silenced: {},
    ...withoutNulls(draft?.options)
  }
}

function matchingDowntimes({ downtimes }: Account, monitor: Monitor, now: number): object[] {
  const groupsNow = [...monitor.states(now).keys()]
  return [...downtimes.values()]
    .filter(
      downtime =>
        downtimeStatus(downtime, now) === 'active' &&
        concerns(downtime, monitor) &&
        groupsNow.some(group => covers(downtime.scope, groupTags(monitor, group)))
    )
    .map(downtime => ({
      id: downtime.v1Id,
      scope: downtime.scope.split(/(?<!\s)\s+AND\s+|,/),
      start: Math.floor(downtime.start / 1000),
      end: downtime.end === null ? null : Math.floor(downtime.end / 1000)
    }))
}

/** Null options of a request are shown as given; absent thresholds stay absent. */
function withoutNulls(options: Readonly<Record<string, unknown>> | undefined): object {
  const thresholds = options?.['thresholds'] as Record<string, unknown> | undefined
  return {
    ...options,
    ...(thresholds
      ? {
          thresholds: Object.fromEntries(
            Object.entries(thresholds).filter(([, value]) => value !== null)
          )
        }
      : {})
  }
}

const isGrouped = (monitor: Monitor): boolean => / by *\{|\.by\(/.test(monitor.spec.query)

function groups(monitor: Monitor, now: number, wanted: ReadonlySet<string>): object {
  const shown = [...monitor.states(now)].filter(
    ([, state]) => wanted.has('all') || wanted.has(state.toLowerCase())
  )
  return Object.fromEntries(
    shown.map(([group, status]) => {
      const name = group === '' ? '*' : group
      const at = (to: string): number =>
        Math.floor((monitor.last(now, t => t.group === group && t.to === to)?.at ?? 0) / 1000)
      const triggered = Math.max(at('Alert'), at('Warn'))
      return [
        name,
        {
          name,
          status,
          last_triggered_ts: triggered,
          last_nodata_ts: at('No Data'),
          last_notified_ts: Math.max(triggered, at('OK')),
          last_resolved_ts: at('OK')
        }
      ]
    })
  )
}
