import { refuse } from './api-error.ts'
import {
  createMonitor,
  inertMonitor,
  parseMonitorQuery,
  type Monitor,
  type MonitorDraft
} from '../world/monitors.ts'
import { hash } from '../world/random.ts'
import { bucket } from '../control/rate-limits.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { resourcesOf } from '../world/accounts.ts'
import { monitorResource } from './monitor-json.ts'

const write = { scope: 'monitors_write' } as const
/** Making, checking, changing and deleting monitors. */
export const monitorWriteRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/monitor',
    op: 'v1.MonitorsApi.createMonitor',
    bucket: bucket('post_monitors', 500, 10, 'post_monitors'),
    ...write,
    handle: create
  },
  {
    method: 'PUT',
    path: '/api/v1/monitor/:id',
    op: 'v1.MonitorsApi.updateMonitor',
    bucket: bucket('put_monitors', 500, 10, 'put_monitors'),
    ...write,
    handle: update
  },
  {
    method: 'DELETE',
    path: '/api/v1/monitor/:id',
    op: 'v1.MonitorsApi.deleteMonitor',
    ...write,
    handle: remove
  },
  {
    method: 'POST',
    path: '/api/v1/monitor/validate',
    op: 'v1.MonitorsApi.validateMonitor',
    ...write,
    handle: call => validated(call)
  },
  {
    method: 'POST',
    path: '/api/v1/monitor/:id/validate',
    op: 'v1.MonitorsApi.validateExistingMonitor',
    ...write,
    handle: call => validated(call)
  },
  {
    method: 'GET',
    path: '/api/v1/monitor/can_delete',
    op: 'v1.MonitorsApi.checkCanDeleteMonitor',
    bucket: bucket('can_delete', 12_000, 60, 'can_delete'),
    handle: canDelete
  }
]

const metricTypes = new Set(['metric alert', 'query alert'])
const types = new Set([
  ...metricTypes,
  'log alert',
  'service check',
  'event alert',
  'event-v2 alert',
  'process alert',
  'rum alert',
  'composite',
  'synthetics alert',
  'slo alert',
  'trace-analytics alert',
  'error-tracking alert',
  'ci-pipelines alert',
  'ci-tests alert',
  'audit alert',
  'cost alert',
  'database-monitoring alert',
  'network-performance alert',
  'network-path alert',
  'data-quality alert',
  'llm-observability alert'
])

/** Checks a monitor as Datadog does; queries it cannot evaluate need an operator and a number at least. */
function checked(given: Record<string, unknown>): { type: string; query: string } {
  const { type, query } = given
  if (typeof type !== 'string' || !types.has(type))
    throw refuse(400, "The value provided for parameter 'type' is invalid")
  if (typeof query !== 'string')
    throw refuse(400, "The value provided for parameter 'query' is invalid")
  const comparison = /(>=|<=|>|<|==|!=)\s*-?\d+(\.\d+)?\s*$/.test(query)
  if (!comparison && type !== 'composite' && !/\.by\(|\.over\(|last\(/.test(query))
    throw refuse(
      400,
      "The value provided for parameter 'query' is invalid: invalid operator specified: "
    )
  return { type, query }
}

function validated(call: Call): Reply {
  checked((call.body ?? {}) as Record<string, unknown>)
  return ok({})
}

/** A monitor of our own: evaluated when its query is one of metrics that is understood, without data otherwise. */
function made(call: Call, id: number, given: Record<string, unknown>, created: number): Monitor {
  const { type, query } = checked(given)
  const options = (given['options'] ?? {}) as MonitorDraft['options']
  const tags = Array.isArray(given['tags']) ? given['tags'].map(String) : []
  const name =
    typeof given['name'] === 'string' && given['name'] !== ''
      ? given['name']
      : `**${query.slice(0, 80)}**`
  const spec = {
    name,
    type,
    query,
    tags,
    message: typeof given['message'] === 'string' ? given['message'] : '',
    ...priorityOf(given['priority']),
    ...warningOf(options)
  }
  const assets = (
    Array.isArray(given['assets']) ? (given['assets'] as Record<string, unknown>[]) : []
  ).map(asset => ({ ...asset, monitor_id: id, options: {} }))
  const draft: MonitorDraft = { options, created, modified: call.now, assets }
  return metricTypes.has(type) && understood(query)
    ? createMonitor(call.account.world, spec, id, draft)
    : inertMonitor(spec, id, draft)
}

/** P1 to P5, as a number or as its digit; nothing else is a priority. */
function priorityOf(given: unknown): { priority?: number } {
  if (given === undefined || given === null) return {}
  const digit = typeof given === 'string' || typeof given === 'number' ? String(given).trim() : ''
  if (!/^[1-5]$/.test(digit))
    throw refuse(400, "The value provided for parameter 'priority' is invalid")
  return { priority: Number(digit) }
}

const warningOf = (options: MonitorDraft['options']): { warning?: number } => {
  const warning = (options['thresholds'] as { warning?: number | null } | undefined)?.warning
  return typeof warning === 'number' ? { warning } : {}
}

function understood(query: string): boolean {
  try {
    parseMonitorQuery(query)
  } catch {
    return false
  }
  return true
}

function create(call: Call): Reply {
  const id =
    150_000_000 + (hash(call.account.world.seed, 'own monitor', ++call.account.writes) % 50_000_000)
  const monitor = made(call, id, (call.body ?? {}) as Record<string, unknown>, call.now)
  call.account.monitors.push(monitor)
  return ok(monitorResource(call.account, monitor, { now: call.now }))
}

function find({ account, params }: Call): { monitor: Monitor; index: number } {
  const index = account.monitors.findIndex(m => String(m.id) === params['id'])
  const monitor = account.monitors[index]
  if (!monitor) throw refuse(404, 'Monitor not found')
  return { monitor, index }
}

function update(call: Call): Reply {
  const { monitor, index } = find(call)
  const { spec, draft } = monitor
  const options = { ...draft?.options, ...(call.body as { options?: object } | undefined)?.options }
  const given = {
    ...spec,
    assets: draft?.assets,
    ...(call.body as Record<string, unknown>),
    options:
      Object.keys(options).length > 0
        ? options
        : { thresholds: { critical: monitor.query.critical } }
  }
  const next = made(
    call,
    monitor.id,
    given,
    draft?.created ?? call.account.world.t0 - 86_400_000 * 40
  )
  call.account.monitors[index] = next
  return ok(monitorResource(call.account, next, { now: call.now }))
}

/** The objectives that name a monitor, as can_delete words them. */
function references(call: Call, monitor: Monitor): string[] {
  const named = [...resourcesOf(call.account, 'slo').values()].filter(slo =>
    (slo['monitor_ids'] as number[] | undefined)?.includes(monitor.id)
  )
  if (named.length === 0) return []
  const slos = named.map(slo => `${String(slo['id'])},${String(slo['name'])}`).join('; ')
  return [`monitor [${monitor.id},${monitor.spec.name}] is referenced in slos: [${slos}]`]
}

function remove(call: Call): Reply {
  const { monitor, index } = find(call)
  const used = references(call, monitor)
  if (used.length > 0 && call.query.get('force') !== 'true') throw refuse(400, ...used)
  call.account.monitors.splice(index, 1)
  return ok({ deleted_monitor_id: monitor.id })
}

function canDelete(call: Call): Reply {
  const ids = (call.query.get('monitor_ids') ?? '').split(',').filter(Boolean)
  if (ids.length === 0 || !ids.every(id => /^\d+$/.test(id)))
    throw refuse(400, "The value provided for parameter 'monitor_ids' is invalid")
  const found = ids.map(id => ({
    id: Number(id),
    used: references(
      call,
      call.account.monitors.find(m => String(m.id) === id) ??
        ({ id: -1, spec: { name: '' } } as Monitor)
    )
  }))
  const errors = Object.fromEntries(
    found.filter(one => one.used.length > 0).map(one => [String(one.id), one.used])
  )
  const data = { ok: found.filter(one => one.used.length === 0).map(one => one.id) }
  return Object.keys(errors).length > 0
    ? { status: 409, body: { errors, data } }
    : ok({ errors: null, data })
}
