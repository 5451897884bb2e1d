import type { Account } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { firstTerm, type Monitor } from '../world/monitors.ts'
import { buckets } from '../control/rate-limits.ts'
import { ok, type Call, type Route } from './route.ts'
import { matches, tagValues } from '../search/match.ts'
import { parseSearch, wordsOf } from '../search/query.ts'
import { monitorResource } from './monitor-json.ts'
import { groupResource, isMuted, searchResource } from './monitor-search-json.ts'

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
  const view = { now, states, withDowntimes: query.get('with_downtimes') === 'true' }
  return ok(shown.map(monitor => monitorResource(account, monitor, view)))
}

function get({ account, params, query, now }: Call) {
  if (!/^\d+$/.test(params['id'] ?? ''))
    throw refuse(400, "The value provided for parameter 'monitor_id' is invalid")
  const monitor = account.monitors.find(m => String(m.id) === params['id'])
  if (!monitor) throw refuse(404, 'Monitor not found')
  return ok(
    monitorResource(account, monitor, {
      now,
      states: groupStatesOf(query),
      withDowntimes: query.get('with_downtimes') === 'true'
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
