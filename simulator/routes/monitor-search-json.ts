import type { Account } from '../world/accounts.ts'
import { silencedBy } from '../world/downtimes.ts'
import { cycleKey, firstTerm, type Monitor } from '../world/monitors.ts'
import { creator } from './monitor-json.ts'

/** Whether a monitor, or one of its groups, is silenced. */
export const isMuted = (account: Account, monitor: Monitor, now: number, group?: string): boolean =>
  (group === undefined ? [...monitor.states(now).keys()] : [group]).every(
    one => silencedBy(account.downtimes.values(), monitor, one, now) !== undefined
  )

/** One group of a monitor as a search shows it. */
export function groupResource(
  account: Account,
  monitor: Monitor,
  { group, status }: { group: string; status: string },
  now: number
): object {
  const at = (...to: string[]): number =>
    Math.floor((monitor.last(now, t => t.group === group && to.includes(t.to))?.at ?? 0) / 1000)
  const silenced = silencedBy(account.downtimes.values(), monitor, group, now)
  const until =
    silenced?.end === undefined || silenced.end === null ? null : Math.floor(silenced.end / 1000)
  const tags = group === '' ? ['total'] : group.split(',')
  const having = (key: string): string[] =>
    monitor.spec.tags.filter(tag => tag.startsWith(`${key}:`))
  return {
    status,
    last_nodata_ts: at('No Data'),
    env_tags: having('env'),
    muted_remaining: until === null ? null : until - Math.floor(now / 1000),
    muted_until_ts: until,
    all_tags: monitor.spec.tags,
    monitor_name: monitor.spec.name,
    team_tags: having('team'),
    last_triggered_ts: at('Alert', 'Warn'),
    group: group === '' ? 'total' : group,
    downtimes: silenced ? [{ id: silenced.v1Id }] : [],
    monitor_id: monitor.id,
    priority: monitor.spec.priority ?? null,
    muted: silenced !== undefined,
    group_tags: tags
  }
}

/** A monitor as a search shows it. */
export function searchResource(account: Account, monitor: Monitor, now: number): object {
  const { world } = account
  const silenced = silencedBy(account.downtimes.values(), monitor, '', now)
  const { spec, id } = monitor
  const triggered = monitor.last(now, t => t.to === 'Alert' || t.to === 'Warn')
  const term = firstTerm(monitor.query.expression)
  const handles = [...spec.message.matchAll(/@([\w.-]+)/g)].map(([, handle = '']) => ({
    handle,
    name: handle
  }))
  return {
    status: monitor.overall(now),
    scopes: term.scope === '' ? [] : [term.scope],
    classification: 'metric',
    creator: { handle: creator.handle, id: creator.id, name: 'SRE' },
    metrics: [term.metric],
    notifications: handles,
    muted_until_ts:
      silenced?.end === undefined || silenced.end === null ? null : Math.floor(silenced.end / 1000),
    query: spec.query,
    id,
    last_triggered_ts: triggered ? Math.floor(triggered.at / 1000) : null,
    name: spec.name,
    tags: spec.tags,
    org_id: world.account.orgId,
    priority: spec.priority ?? null,
    overall_state_modified: triggered
      ? Math.floor((monitor.last(now)?.at ?? triggered.at) / 1000)
      : null,
    restricted_roles: [],
    type: spec.type,
    ...(triggered ? { alert_cycle_key: cycleKey(monitor, triggered) } : {})
  }
}
