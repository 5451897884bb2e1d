import { resourcesOf } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import type { Buckets } from '../metrics/evaluate.ts'
import { hash, hex } from '../world/random.ts'
import { bucket } from '../control/rate-limits.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { described, sliOf, sloSeries, slosOf, type Slo } from '../world/slos.ts'

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
    handle: search
  },
  {
    method: 'GET',
    path: `${base}/:id`,
    op: 'v1.ServiceLevelObjectivesApi.getSLO',
    bucket: bucket('slo_get', 3000, 10, 'slo_get'),
    scope: 'slos_read',
    handle: call => ok({ data: find(call), error: null })
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
      const { id } = find(call)
      resourcesOf(call.account, 'slo').delete(id)
      return ok({ data: [id], error: null })
    }
  },
  {
    method: 'GET',
    path: `${base}/:id/history`,
    op: 'v1.ServiceLevelObjectivesApi.getSLOHistory',
    scope: 'slos_read',
    handle: history
  }
]

function find({ account, params }: Call): Slo {
  const found = slosOf(account).find(slo => slo.id === params['id'])
  if (!found) throw refuse(404, `SLO not found: ${params['id']} not found`)
  return found
}

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

/** The older fields that the server adds to the newer way of writing an objective. */
function queryOf(sli: unknown): { query?: { numerator: string; denominator: string } } {
  const count = (
    sli as { count?: Record<string, unknown> & { queries?: { name: string; query: string }[] } }
  ).count
  if (!count?.queries) return {}
  const read = (formula: unknown): string => {
    const text = String((formula as { formula?: unknown } | undefined)?.formula ?? '')
    return (
      count.queries?.reduce(
        (line, { name, query }) => line.replace(new RegExp(`\\b${name}\\b`, 'g'), query),
        text
      ) ?? ''
    )
  }
  const good = read(count['good_events_formula'])
  const bad = read(count['bad_events_formula'])
  const total =
    count['total_events_formula'] === undefined
      ? `${good} + ${bad}`
      : read(count['total_events_formula'])
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
  const before = find(call)
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

function matching({ account, query }: Call): Slo[] {
  const ids = query.get('ids')?.split(',')
  const text = (query.get('query') ?? '').toLowerCase()
  const tags = query.get('tags_query')?.split(',') ?? []
  return slosOf(account).filter(
    slo =>
      (!ids || ids.includes(slo.id)) &&
      slo.name.toLowerCase().includes(text) &&
      tags.every(tag => slo.tags.includes(tag))
  )
}

function list(call: Call): Reply {
  const all = matching(call)
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

const days: Readonly<Record<string, number>> = { '7d': 7, '30d': 30, '90d': 90 }
/** Wide buckets keep a long window cheap. */
function bucketsFor(from: number, to: number, now: number): Buckets {
  const step = (to - from <= 86_400 ? 7200 : to - from <= 7 * 86_400 ? 14_400 : 86_400) * 1000
  const start = Math.floor((from * 1000) / step) * step
  const end = Math.min(to * 1000, now)
  return {
    start,
    step,
    width: step,
    end,
    count: end <= start ? 0 : Math.ceil((end - start) / step),
    samples: 12
  }
}

function history(call: Call): Reply {
  const slo = find(call)
  const [from, to] = ['from_ts', 'to_ts'].map(name => Number(call.query.get(name) ?? NaN))
  if (from === undefined || to === undefined || !(from < to))
    throw refuse(400, 'from_ts must be before to_ts')
  const series = sloSeries(call.account, slo, bucketsFor(from, to, call.now))
  const sli = sliOf(series)
  const { thresholds } = slo
  const target = thresholds[0]
  const state =
    sli === null || !target
      ? 'no_data'
      : sli < target.target
        ? 'breached'
        : target.warning !== undefined && sli < target.warning
          ? 'warning'
          : 'ok'
  const overall = {
    sli_value: sli,
    span_precision: 2,
    precision: Object.fromEntries(thresholds.map(one => [one.timeframe, 0])),
    uptime: sli,
    corrections: [],
    state,
    ...(sli === null
      ? {
          errors: [
            {
              error_message: 'The denominator is zero valued',
              error_type: 'ZERO_VALUED_DENOMINATOR'
            }
          ]
        }
      : {})
  }
  const own = {
    thresholds: Object.fromEntries(thresholds.map(one => [one.timeframe, one])),
    from_ts: from,
    to_ts: to,
    type: slo.type,
    type_id: slo['type_id'],
    slo,
    group_by: [],
    overall
  }
  return ok({
    data: { ...own, ...(slo.query ? { series: seriesOf(slo.query, series, from, to) } : {}) },
    errors: null
  })
}

function seriesOf(
  query: NonNullable<Slo['query']>,
  { buckets, good, all }: ReturnType<typeof sloSeries>,
  from: number,
  to: number
): object {
  const [numerator, denominator] = [
    `default_zero(${query.numerator})`,
    `default_zero(${query.denominator})`
  ]
  const part = (values: readonly number[], expression: string, index: number): object => ({
    values,
    sum: values.reduce((a, b) => a + b, 0),
    count: values.length,
    metadata: {
      unit: null,
      query_index: index,
      aggr: 'sum',
      metric: `default_zero(${/:([\w.]+)\{/.exec(expression)?.[1] ?? ''})`,
      tag_set: [],
      expression,
      scope: /\{([^}]*)\}/.exec(expression)?.[1] ?? '*'
    }
  })
  return {
    timing: '0.02146005630493164',
    res_type: 'time_series',
    resp_version: 2,
    query: `${numerator}, ${denominator}`,
    from_date: from * 1000,
    to_date: to * 1000,
    message: '',
    interval: buckets.step / 1000,
    times: good.map((_, i) => buckets.start + i * buckets.step),
    numerator: part(good, numerator, 0),
    denominator: part(all, denominator, 1),
    numerator_query: numerator,
    denominator_query: denominator,
    bad_series_query: `${denominator} - ${numerator}`,
    graph_query: `${numerator}, ${denominator}`
  }
}

function search(call: Call): Reply {
  const { query, account, now } = call
  const size = Math.min(100, Math.max(1, Number(query.get('page[size]') ?? 10) || 10))
  const number = Math.max(0, Number(query.get('page[number]') ?? 0) || 0)
  const all = matching(call)
  const link = (page: number): string =>
    `https://api.${account.spec.site}${base}/search?query=${encodeURIComponent(query.get('query') ?? '')}&page[size]=${size}&page[number]=${page}`
  const last = Math.max(0, Math.ceil(all.length / size) - 1)
  return ok({
    data: {
      type: 'service_level_objective_search_results',
      attributes: {
        slos: all.slice(number * size, (number + 1) * size).map(slo => ({
          data: { type: 'slo', id: slo.id, attributes: searchAttributes(account, slo, now) }
        }))
      }
    },
    meta: {
      pagination: {
        number,
        first_number: 0,
        prev_number: Math.max(0, number - 1),
        next_number: number + 1,
        last_number: last,
        size,
        type: 'number_size',
        total: all.length
      }
    },
    links: {
      self: link(number),
      last: null,
      next: link(number + 1),
      prev: number === 0 ? null : link(number - 1),
      first: link(0)
    }
  })
}

function searchAttributes(account: Call['account'], slo: Slo, now: number): object {
  const overall = slo.thresholds.map(one => {
    const seconds = Math.floor(now / 1000)
    const sli = sliOf(
      sloSeries(
        account,
        slo,
        bucketsFor(seconds - (days[one.timeframe] ?? 7) * 86_400, seconds, now)
      )
    )
    const left = sli === null ? null : ((sli - one.target) / (100 - one.target)) * 100
    return {
      error_budget_remaining: left,
      raw_error_budget_remaining: null,
      indexed_at: seconds - 60,
      status: sli,
      span_precision: sli === null ? null : 2,
      error: sli === null ? 'The denominator is zero valued' : null,
      target: one.target,
      state: sli === null ? 'no_data' : sli < one.target ? 'breached' : 'ok',
      timeframe: one.timeframe
    }
  })
  const [first] = overall
  const having = (key: string): string[] => slo.tags.filter(tag => tag.startsWith(`${key}:`))
  return {
    monitor_ids: slo.monitor_ids ?? null,
    all_tags: slo.tags,
    thresholds: slo.thresholds,
    env_tags: having('env'),
    groups: null,
    timeframe: slo['timeframe'],
    overall_status: overall,
    query: slo.query ? { metrics: null, ...slo.query } : null,
    warning_threshold: slo['warning_threshold'] ?? null,
    slo_type: slo.type,
    name: slo.name,
    service_tags: having('service'),
    creator: { name: null, id: 1445416, email: 'sre@example.com' },
    created_at: slo['created_at'],
    modified_at: slo['modified_at'],
    description: null,
    team_tags: having('team'),
    target_threshold: slo['target_threshold'],
    status: {
      error_budget_remaining: first?.error_budget_remaining ?? null,
      raw_error_budget_remaining: null,
      indexed_at: first?.indexed_at ?? 0,
      span_precision: first?.span_precision ?? null,
      state: first?.state ?? 'no_data',
      sli: first?.status ?? null,
      calculation_error: first?.error ?? null
    }
  }
}
