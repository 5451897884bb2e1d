import { resourcesOf } from '../world/accounts.ts'
import { sloHistory } from './slo-history.ts'
import { searchSlos } from './slo-search.ts'
import { refuse } from './api-error.ts'
import { hash, hex } from '../world/random.ts'
import { bucket } from '../control/rate-limits.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { described, findSlo, matchingSlos, slosOf, type Slo } from '../world/slos.ts'

const base = '/api/v1/slo'
/** Objectives and their history, derived from the metrics. */
export const sloRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: base,
    op: 'v1.ServiceLevelObjectivesApi.createSLO',
    bucket: bucket('slo_create', 200, 60, 'slo_create'),
    scope: 'slos_write',
    handle: create
  },
  {
    method: 'GET',
    path: base,
    op: 'v1.ServiceLevelObjectivesApi.listSLOs',
    bucket: bucket('slo_get_all', 1000, 10, 'slo_get_all'),
    scope: 'slos_read',
    handle: list
  },
  {
    method: 'GET',
    path: `${base}/search`,
    op: 'v1.ServiceLevelObjectivesApi.searchSLO',
    bucket: bucket('slo_search', 1000, 10, 'slo_search'),
    scope: 'slos_read',
    handle: searchSlos
  },
  {
    method: 'GET',
    path: `${base}/:id`,
    op: 'v1.ServiceLevelObjectivesApi.getSLO',
    bucket: bucket('slo_get', 3000, 10, 'slo_get'),
    scope: 'slos_read',
    handle: call => ok({ data: findSlo(call), error: null })
  },
  {
    method: 'PUT',
    path: `${base}/:id`,
    op: 'v1.ServiceLevelObjectivesApi.updateSLO',
    bucket: bucket('slo_update', 200, 60, 'slo_update'),
    scope: 'slos_write',
    handle: update
  },
  {
    method: 'DELETE',
    path: `${base}/:id`,
    op: 'v1.ServiceLevelObjectivesApi.deleteSLO',
    bucket: bucket('slo_delete', 100, 10, 'slo_delete'),
    scope: 'slos_write',
    handle: call => {
      const { id } = findSlo(call)
      resourcesOf(call.account, 'slo').delete(id)
      return ok({ data: [id], error: null })
    }
  },
  {
    method: 'GET',
    path: `${base}/:id/history`,
    op: 'v1.ServiceLevelObjectivesApi.getSLOHistory',
    scope: 'slos_read',
    handle: sloHistory
  }
]

function checked(body: unknown): Record<string, unknown> & Pick<Slo, 'thresholds' | 'type'> {
  const given = (body ?? {}) as Record<string, unknown>
  const { type, thresholds, query, monitor_ids: monitors, name, sli_specification: sli } = given
  if (typeof name !== 'string' || !Array.isArray(thresholds) || thresholds.length === 0)
    throw refuse(400, 'Invalid payload: must specify name and thresholds')
  if (type === 'monitor' && !Array.isArray(monitors))
    throw refuse(400, 'Invalid payload: must specify monitor_ids')
  if (type === 'metric' && query === undefined && sli === undefined)
    throw refuse(400, 'Invalid payload: must specify the query for count types')
  if (type !== 'monitor' && type !== 'metric' && type !== 'time_slice')
    throw refuse(400, 'Invalid payload: unknown type')
  return { ...given, ...(query === undefined && sli !== undefined ? queryOf(sli) : {}) } as Record<
    string,
    unknown
  > &
    Pick<Slo, 'thresholds' | 'type'>
}

interface CountSpecification {
  readonly queries?: readonly { readonly name: string; readonly query: string }[]
  readonly good_events_formula?: { readonly formula?: unknown }
  readonly bad_events_formula?: { readonly formula?: unknown }
  readonly total_events_formula?: { readonly formula?: unknown }
}

/** The older fields that the server adds to the newer way of writing an objective. */
function queryOf(sli: unknown): { query?: { numerator: string; denominator: string } } {
  const { count } = sli as { count?: CountSpecification }
  if (!count?.queries) return {}
  const queries = new Map(count.queries.map(({ name, query }) => [name, query]))
  const read = (given: { readonly formula?: unknown } | undefined): string =>
    String(given?.formula ?? '').replace(/[A-Za-z_]\w*/g, name => queries.get(name) ?? name)
  const good = read(count.good_events_formula)
  const bad = read(count.bad_events_formula)
  const total =
    count.total_events_formula === undefined ? `${good} + ${bad}` : read(count.total_events_formula)
  return { query: { numerator: good === '' ? `${total} - ${bad}` : good, denominator: total } }
}

function create(call: Call): Reply {
  const given = checked(call.body)
  const id = hex(hash(call.account.world.seed, 'own slo', ++call.account.writes), 32)
  const at = Math.floor(call.now / 1000)
  const slo = described({ ...given, id, created_at: at, modified_at: at })
  slosOf(call.account)
  resourcesOf(call.account, 'slo').set(id, slo)
  return ok({ data: [slo], error: null })
}

function update(call: Call): Reply {
  const before = findSlo(call)
  const given = (call.body ?? {}) as Record<string, unknown>
  if (
    before.type === 'metric' &&
    given['query'] === undefined &&
    given['sli_specification'] === undefined
  )
    throw refuse(400, 'Invalid payload: must specify the query for count types')
  const slo = described({
    ...before,
    ...checked({ ...before, ...given }),
    id: before.id,
    modified_at: Math.floor(call.now / 1000)
  })
  resourcesOf(call.account, 'slo').set(before.id, slo)
  return ok({ data: [slo], error: null })
}

function list(call: Call): Reply {
  const all = matchingSlos(call)
  if (call.query.get('ids') !== null && all.length === 0)
    throw refuse(404, `SLO not found: ${call.query.get('ids')} not found`)
  const offset = Math.max(0, Number(call.query.get('offset') ?? 0) || 0)
  const data = all.slice(offset, offset + (Number(call.query.get('limit') ?? 1000) || 1000))
  return ok({
    data,
    error: null,
    ...(call.query.get('ids') === null
      ? { metadata: { page: { total_count: all.length, total_filtered_count: all.length } } }
      : {})
  })
}
