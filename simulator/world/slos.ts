import { refuse } from '../routes/api-error.ts'
import type { Call } from '../routes/route.ts'
import { resourcesOf, type Account } from './accounts.ts'
import { evaluate, type Buckets } from '../metrics/evaluate.ts'
import { parseMetricQuery } from '../metrics/grammar.ts'
import { hash, hex } from './random.ts'

/** One objective, whoever wrote it, in the shape of the API. */
export interface Slo extends Record<string, unknown> {
  readonly id: string
  readonly name: string
  readonly type: 'metric' | 'monitor'
  readonly tags: readonly string[]
  readonly thresholds: readonly {
    readonly timeframe: string
    readonly target: number
    readonly warning?: number
  }[]
  readonly query?: { readonly numerator: string; readonly denominator: string }
  readonly monitor_ids?: readonly number[]
}

/** Objectives of the scenario and those that were created, oldest first. */
export function slosOf(account: Account): Slo[] {
  const store = resourcesOf(account, 'slo')
  if (!store.has('')) {
    store.set('', {})
    const { world } = account
    const at = Math.floor(world.t0 / 1000) - 86_400 * 90
    for (const spec of world.scenario.slos) {
      const id = hex(hash(world.seed, 'slo', spec.name), 32)
      store.set(
        id,
        described({
          id,
          name: spec.name,
          type: 'metric',
          tags: spec.tags,
          description: '',
          thresholds: [{ timeframe: '7d', target: spec.target, warning: spec.warning }],
          query: { numerator: spec.numerator, denominator: spec.denominator },
          created_at: at,
          modified_at: at
        })
      )
    }
  }
  return [...store].flatMap(([id, slo]) => (id === '' ? [] : [slo as Slo]))
}

/** `95.0` is shown as `95.`. */
const shown = (value: number): string => (Number.isInteger(value) ? `${value}.` : String(value))

/** Fills in what the server adds to an objective. */
export function described(slo: Record<string, unknown> & Pick<Slo, 'thresholds' | 'type'>): Slo {
  const thresholds = slo.thresholds.map(one => ({
    timeframe: one.timeframe,
    target: one.target,
    target_display: shown(one.target),
    ...(one.warning === undefined
      ? {}
      : { warning: one.warning, warning_display: shown(one.warning) })
  }))
  const [first] = thresholds
  return {
    description: '',
    tags: [],
    monitor_tags: [],
    creator: { name: null, handle: 'sre@example.com', email: 'sre@example.com' },
    ...slo,
    thresholds,
    type_id: slo.type === 'metric' ? 1 : 0,
    ...(first
      ? {
          timeframe: first.timeframe,
          target_threshold: first.target,
          ...('warning' in first ? { warning_threshold: first.warning } : {})
        }
      : {})
  } as unknown as Slo
}

/** The objective a path names. */
export function findSlo({ account, params }: Pick<Call, 'account' | 'params'>): Slo {
  const found = slosOf(account).find(slo => slo.id === params['id'])
  if (!found) throw refuse(404, `SLO not found: ${params['id']} not found`)
  return found
}

/** The objectives a list or a search asks for. */
export function matchingSlos({ account, query }: Pick<Call, 'account' | 'query'>): Slo[] {
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

const DAY_SECONDS = 86_400
/** Buckets of a window in epoch seconds; wide ones keep a long window cheap. */
export function sloBuckets(from: number, to: number, now: number): Buckets {
  const length = to - from
  const step =
    (length <= DAY_SECONDS ? 7200 : length <= 7 * DAY_SECONDS ? 14_400 : DAY_SECONDS) * 1000
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

/** Good and all events in each bucket. */
export interface SloSeries {
  readonly buckets: Buckets
  readonly good: readonly number[]
  readonly all: readonly number[]
}

/** Good and all events per bucket, from the same metrics as the graphs. */
export function sloSeries(account: Account, slo: Slo, buckets: Buckets): SloSeries {
  const line = (query: string): number[] => {
    const [expression] = parseMetricQuery(query)
    const [found] = expression ? evaluate(account.world, expression, buckets) : []
    return Array.from({ length: buckets.count }, (_, i) => {
      const value = found?.values[i] ?? 0
      return Number.isFinite(value) ? value : 0
    })
  }
  if (slo.query)
    return { buckets, good: line(slo.query.numerator), all: line(slo.query.denominator) }
  const monitors = account.monitors.filter(m => slo.monitor_ids?.includes(m.id))
  const up = Array.from({ length: buckets.count }, (_, i) =>
    monitors.every(m => m.overall(buckets.start + i * buckets.step) !== 'Alert') ? 1 : 0
  )
  return { buckets, good: up, all: up.map(() => 1) }
}

/** Percent of good events; null when there was nothing. */
export function sliOf({ good, all }: SloSeries): number | null {
  const total = all.reduce((a, b) => a + b, 0)
  return total === 0 ? null : (good.reduce((a, b) => a + b, 0) / total) * 100
}
