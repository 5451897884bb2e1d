import { refuse } from './api-error.ts'
import { ok, type Call, type Reply } from './route.ts'
import { findSlo, sliOf, sloBuckets, sloSeries, type Slo, type SloSeries } from '../world/slos.ts'

/** How far a history may reach. */
const LONGEST_SECONDS = 5 * 366 * 86_400

/** `GET …/history`: what was good and what was not, over a window in seconds. */
export function sloHistory(call: Call): Reply {
  const slo = findSlo(call)
  const [from, to] = ['from_ts', 'to_ts'].map(name => Number(call.query.get(name) ?? NaN))
  if (from === undefined || to === undefined || !(from < to))
    throw refuse(400, 'from_ts must be before to_ts')
  if (to - from > LONGEST_SECONDS) throw refuse(400, 'The time range is limited to five years')
  const series = sloSeries(call.account, slo, sloBuckets(from, to, call.now))
  const sli = sliOf(series)
  const { thresholds } = slo
  const overall = {
    sli_value: sli,
    span_precision: 2,
    precision: Object.fromEntries(thresholds.map(one => [one.timeframe, 0])),
    uptime: sli,
    corrections: [],
    state: stateOf(sli, thresholds[0]),
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

function stateOf(sli: number | null, target: Slo['thresholds'][number] | undefined): string {
  if (sli === null || !target) return 'no_data'
  if (sli < target.target) return 'breached'
  return target.warning !== undefined && sli < target.warning ? 'warning' : 'ok'
}

function seriesOf(
  query: NonNullable<Slo['query']>,
  { buckets, good, all }: SloSeries,
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
      scope: /\{([^{}]*)\}/.exec(expression)?.[1] ?? '*'
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
