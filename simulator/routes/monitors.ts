import type { Account } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { concerns, covers, downtimeStatus, groupTags, silencedBy } from '../world/downtimes.ts'
import { cycleKey, firstTerm, type Monitor } from '../world/monitors.ts'
import { hash } from '../world/random.ts'
import { buckets } from '../control/rate-limits.ts'
import { ok, type Call, type Route } from './route.ts'
import { matches, tagValues } from '../search/match.ts'
import { parseSearch, wordsOf } from '../search/query.ts'
import type { World } from '../world/world.ts'

export const monitorRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/monitor',
    op: 'v1.MonitorsApi.listMonitors',
    bucket: buckets.monitorList,
    scope: 'monitors_read',
    handle: list
  },
  {
    method: 'GET',
    path: '/api/v1/monitor/search',
    op: 'v1.MonitorsApi.searchMonitors',
    bucket: buckets.monitorSearch,
    scope: 'monitors_read',
    handle: search
  },
  {
    method: 'GET',
    path: '/api/v1/monitor/groups/search',
    op: 'v1.MonitorsApi.searchMonitorGroups',
    bucket: buckets.monitorSearch,
    scope: 'monitors_read',
    handle: searchGroups
  },
  {
    method: 'GET',
    path: '/api/v1/monitor/:id',
    op: 'v1.MonitorsApi.getMonitor',
    bucket: buckets.monitorGet,
    scope: 'monitors_read',
    handle: get
  }
]

const groupStates = new Set(['all', 'alert', 'warn', 'no data', 'ok'])

function groupStatesOf(query: URLSearchParams): ReadonlySet<string> | undefined {
  const text = query.get('group_states')
  if (text === null) return undefined
  const states = new Set(
    text
      .toLowerCase()
      .split(',')
      .map(s => s.trim())
  )
  if ([...states].some(state => !groupStates.has(state)))
    throw refuse(400, 'Invalid group_state filters.')
  return states
}

function list(call: Call) {
  const { account, query, now } = call
  const states = groupStatesOf(query)
  const name = query.get('name')?.toLowerCase()
  const tags = `${query.get('tags') ?? ''},${query.get('monitor_tags') ?? ''}`
    .split(',')
    .map(tag => tag.trim())
    .filter(Boolean)
  const found = account.monitors
    .filter(
      m =>
        (name === undefined || m.spec.name.toLowerCase().includes(name)) &&
        tags.every(tag => m.spec.tags.includes(tag))
    )
    .toSorted((a, b) => a.id - b.id)
  const page = query.get('page')
  const size = Math.min(1000, Number(query.get('page_size') ?? 100) || 100)
  const shown = page === null ? found : found.slice(Number(page) * size, (Number(page) + 1) * size)
  return ok(
    shown.map(monitor =>
      monitorResource(account, monitor, now, states, query.get('with_downtimes') === 'true')
    )
  )
}

function get({ account, params, query, now }: Call) {
  if (!/^\d+$/.test(params['id'] ?? ''))
    throw refuse(400, "The value provided for parameter 'monitor_id' is invalid")
  const monitor = account.monitors.find(m => String(m.id) === params['id'])
  if (!monitor) throw refuse(404, 'Monitor not found')
  return ok(
    monitorResource(
      account,
      monitor,
      now,
      groupStatesOf(query),
      query.get('with_downtimes') === 'true'
    )
  )
}

const iso = (at: number): string => new Date(at).toISOString().replace('Z', '000+00:00')
const createdAt = (world: World, monitor: Monitor): number =>
  world.t0 - 86_400_000 * (30 + (hash(monitor.id) % 400))
const creator = { name: null, handle: 'sre@example.com', email: 'sre@example.com', id: 1445416 }

/** A monitor as the v1 API shows it; `states` asks for its groups, `withDowntimes` for what silences it. */
export function monitorResource(
  account: Account,
  monitor: Monitor,
  now: number,
  states?: ReadonlySet<string>,
  withDowntimes = false
): object {
  const { spec, query, id, draft } = monitor
  const { world } = account
  const created = draft?.created ?? createdAt(world, monitor)
  const changed = draft ? monitor.last(now)?.at : (monitor.last(now)?.at ?? created + 120_000)
  const thresholds = {
    critical: query.critical,
    ...(spec.warning === undefined ? {} : { warning: spec.warning })
  }
  const silencing = [...account.downtimes.values()].filter(
    downtime =>
      downtimeStatus(downtime, now) === 'active' &&
      concerns(downtime, monitor) &&
      [...monitor.states(now).keys()].some(group =>
        covers(downtime.scope, groupTags(monitor, group))
      )
  )
  return {
    id,
    org_id: world.account.orgId,
    type: spec.type,
    name: spec.name,
    message: spec.message,
    tags: spec.tags,
    query: spec.query,
    options: {
      notify_audit: false,
      locked: false,
      include_tags: true,
      thresholds,
      new_host_delay: 300,
      ...(draft ? {} : { require_full_window: true }),
      notify_no_data: spec.notifyNoData ?? false,
      silenced: {},
      ...withoutNulls(draft?.options)
    },
    multi: grouped(monitor),
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
    matching_downtimes: withDowntimes
      ? silencing.map(downtime => ({
          id: downtime.v1Id,
          scope: downtime.scope.split(/\s+AND\s+|,/),
          start: Math.floor(downtime.start / 1000),
          end: downtime.end === null ? null : Math.floor(downtime.end / 1000)
        }))
      : [],
    ...(states === undefined ? {} : { state: { groups: groups(monitor, now, states) } })
  }
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

const grouped = (monitor: Monitor): boolean => / by *\{|\.by\(/.test(monitor.spec.query)

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

const searchable = new Set(['alert', 'warn', 'no data', 'ok', 'ignored', 'skipped', 'unknown'])

/** The monitors a search finds; an unknown status is an error. */
function searched({ account, query, now }: Call): Monitor[] {
  const text = query.get('query') ?? ''
  for (const [, quoted, plain] of text.matchAll(/\bstatus:(?:"([^"]*)"|([^\s()]+))/g)) {
    if (!searchable.has((quoted ?? plain ?? '').toLowerCase()))
      throw refuse(400, `Query parsing error: '${quoted ?? plain}' is not a valid monitor status`)
  }
  const node = parseSearch(text)
  return account.monitors.filter(
    m =>
      matches(node, {
        words: () => wordsOf(`${m.spec.name} ${m.spec.tags.join(' ')}`),
        values: key =>
          ({
            status: [m.overall(now)],
            tag: m.spec.tags,
            type: [m.spec.type.split(' ')[0] ?? ''],
            id: [String(m.id)],
            muted: [String(isMuted(account, m, now))],
            metric: [firstTerm(m.query.expression).metric]
          })[key] ?? tagValues(m.spec.tags, key),
        attribute: () => ({ value: undefined })
      }) === true
  )
}

const isMuted = (account: Account, monitor: Monitor, now: number, group?: string): boolean =>
  (group === undefined ? [...monitor.states(now).keys()] : [group]).every(
    one => silencedBy(account.downtimes.values(), monitor, one, now) !== undefined
  )

function paged<T>(
  query: URLSearchParams,
  all: readonly T[]
): { rows: readonly T[]; metadata: object } {
  const perPage = Math.min(1000, Math.max(1, Number(query.get('per_page') ?? 30) || 30))
  const page = Math.max(0, Number(query.get('page') ?? 0) || 0)
  return {
    rows: all.slice(page * perPage, (page + 1) * perPage),
    metadata: {
      total_count: all.length,
      page_count: Math.ceil(all.length / perPage),
      page,
      per_page: perPage
    }
  }
}

function search(call: Call) {
  const { account, query, now } = call
  const all = searched(call)
  const { rows, metadata } = paged(query, all)
  return ok({
    counts: counts(account, all, now),
    monitors: rows.map(m => searchResource(account, m, now)),
    metadata
  })
}

function searchGroups(call: Call) {
  const { account, query, now } = call
  const all = searched(call).flatMap(monitor =>
    [...monitor.states(now)].map(([group, status]) => ({ monitor, group, status }))
  )
  const { rows, metadata } = paged(query, all)
  const count = {
    ...counts(
      account,
      all.map(one => one.monitor),
      now
    ),
    status: tally(all.map(one => one.status)),
    muted: tally(all.map(one => isMuted(account, one.monitor, now, one.group)))
  }
  return ok({
    counts: count,
    groups: rows.map(({ monitor, group, status }) =>
      groupResource(account, monitor, { group, status }, now)
    ),
    metadata
  })
}

function groupResource(
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

const tally = <T extends string | boolean>(names: readonly T[]): { count: number; name: T }[] =>
  [...Map.groupBy(names, n => n)]
    .map(([name, all]) => ({ count: all.length, name }))
    .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))

const counts = (account: Account, found: readonly Monitor[], now: number): object => ({
  status: tally(found.map(m => m.overall(now))),
  muted: tally(found.map(m => isMuted(account, m, now))),
  tag: tally(found.flatMap(m => m.spec.tags)),
  type: tally(found.map(m => m.spec.type.split(' ')[0] ?? ''))
})

function searchResource(account: Account, monitor: Monitor, now: number): object {
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
