import { ok, type Call, type Reply } from './route.ts'
import { matchingSlos, sliOf, sloBuckets, sloSeries, type Slo } from '../world/slos.ts'

const days: Readonly<Record<string, number>> = { '7d': 7, '30d': 30, '90d': 90 }

/** `GET …/slo/search`: objectives with their state. */
export function searchSlos(call: Call): Reply {
  const { query, account, now } = call
  const size = Math.min(100, Math.max(1, Number(query.get('page[size]') ?? 10) || 10))
  const number = Math.max(0, Number(query.get('page[number]') ?? 0) || 0)
  const all = matchingSlos(call)
  const text = encodeURIComponent(query.get('query') ?? '')
  const address = `https://api.${account.spec.site}/api/v1/slo/search?query=${text}`
  const link = (page: number): string => `${address}&page[size]=${size}&page[number]=${page}`
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
        sloBuckets(seconds - (days[one.timeframe] ?? 7) * 86_400, seconds, now)
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
