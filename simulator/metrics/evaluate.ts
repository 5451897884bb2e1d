import { matchesGlob } from '../search/glob.ts'
import type { Tags } from '../world/effects.ts'
import { refuse } from '../routes/api-error.ts'
import { unit } from '../world/random.ts'
import type { MetricSpec } from '../scenarios/load-scenario.ts'
import type { World } from '../world/world.ts'
import type { Aggregator, Expression, MetricTerm } from './grammar.ts'
import type { Series } from './series.ts'

/** Buckets in milliseconds: the i-th covers `[start + i·step, … + width)`; nothing at or after `end` exists. */
export interface Buckets {
  readonly start: number
  readonly count: number
  readonly step: number
  readonly width: number
  readonly end: number
  readonly samples?: number
}
/** One result line; NaN is a bucket without data. */
export interface Line {
  readonly group: readonly string[]
  readonly scope: string
  readonly values: Float64Array
}

const SAMPLES = 6
const GRID = 5000

/** Evaluates an expression; a number alone is one ungrouped constant line. */
export function evaluate(world: World, expression: Expression, buckets: Buckets): Line[] {
  if (expression.kind === 'number')
    return [
      { group: [], scope: '*', values: new Float64Array(buckets.count).fill(expression.value) }
    ]
  if (expression.kind === 'metric') return metricLines(world, expression, buckets)
  if (expression.kind === 'default_zero') {
    return evaluate(world, expression.inner, buckets).map(({ group, scope, values }) => ({
      group,
      scope,
      values: values.map(v => (Number.isNaN(v) ? 0 : v))
    }))
  }
  return combine(
    expression.op,
    evaluate(world, expression.left, buckets),
    evaluate(world, expression.right, buckets)
  )
}

const operate = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => (b === 0 ? NaN : a / b)
}

function combine(op: keyof typeof operate, left: readonly Line[], right: readonly Line[]): Line[] {
  const apply = operate[op]
  const pair = (a: Line, b: Line): Line => ({
    group: a.group.length ? a.group : b.group,
    scope: a.scope === '*' ? b.scope : a.scope,
    values: a.values.map((v, i) => apply(v, b.values[i] ?? NaN))
  })
  const single = (lines: readonly Line[]): Line | undefined =>
    lines.length === 1 && lines[0]?.group.length === 0 ? lines[0] : undefined
  const onlyRight = single(right)
  if (onlyRight) return left.map(line => pair(line, onlyRight))
  const onlyLeft = single(left)
  if (onlyLeft) return right.map(line => pair(onlyLeft, line))
  const byGroup = new Map(right.map(line => [line.group.join(','), line]))
  return left.flatMap(line => {
    const other = byGroup.get(line.group.join(','))
    return other ? [pair(line, other)] : []
  })
}

function metricLines(world: World, term: MetricTerm, buckets: Buckets): Line[] {
  const spec = world.metrics.get(term.metric)
  if (!spec) return []
  const chosen = world
    .series(term.metric)
    .filter(series => term.scope.every(f => hasTag(series.tags, f.key, f.value) !== f.negated))
  const groups = Map.groupBy(chosen, series =>
    term.by.map(key => `${key}:${series.tags[key] ?? 'N/A'}`).join(',')
  )
  const scope = term.scope.map(f => `${f.negated ? '!' : ''}${f.key}:${f.value}`)
  return [...groups]
    .map(([group, members]) => {
      const tags = term.by.length ? group.split(',') : []
      const values = reduce(
        members.map(series => bucketValues(spec, term, series, buckets)),
        term.aggregator ?? 'avg',
        buckets.count
      )
      return {
        group: tags,
        scope: [...new Set([...scope, ...tags])].toSorted().join(',') || '*',
        values
      }
    })
    .toSorted((a, b) => (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : 0))
    .filter(line => line.values.some(v => !Number.isNaN(v)))
}

/** A scope condition on a series; `team` and the like match as tags do, without regard to case. */
const hasTag = (tags: Tags, key: string, value: string): boolean => {
  const own = tags[key.toLowerCase()]
  return own !== undefined && matchesGlob(value.toLowerCase(), own.toLowerCase())
}

const KEPT_BUCKETS = 3000

function bucketValues(
  spec: MetricSpec,
  term: MetricTerm,
  series: Series,
  { start, count, step, width, end, samples = SAMPLES }: Buckets
): Float64Array {
  const values = new Float64Array(count)
  const counts =
    spec.kind === 'count'
      ? term.modifier !== 'as_rate'
      : spec.kind === 'rate' && term.modifier === 'as_count'
  const method = counts ? 'avg' : (term.rollup?.method ?? 'avg')
  const read = (from: number, to: number): number => {
    const value = overTime(series, from, to, method, samples)
    return counts && !Number.isNaN(value)
      ? Math.floor((value * (to - from)) / 1000 + unit(series.seed, from / GRID))
      : value
  }
  const known = keptBuckets(series, `${counts ? 'count' : method}/${width}/${samples}`)
  for (let i = 0; i < count; i++) {
    const from = start + i * step
    if (from + width > end) {
      values[i] = read(from, end)
      continue
    }
    let value = known.get(from / GRID)
    if (value === undefined) known.set(from / GRID, (value = read(from, from + width)))
    values[i] = value
  }
  return values
}

/** Whole buckets never change, and a dashboard or a load test asks for the same ones again and again. */
function keptBuckets(series: Series, key: string): Map<number, number> {
  let known = series.buckets.get(key)
  if (!known || known.size > KEPT_BUCKETS) series.buckets.set(key, (known = new Map()))
  return known
}

/**
 * A few readings stand for a bucket, each in the middle of its part, so that a long window costs no more than a
 * short one.
 */
function overTime(
  series: Series,
  from: number,
  to: number,
  method: Aggregator,
  samples: number
): number {
  const step = Math.max(GRID, Math.ceil((to - from) / samples / GRID) * GRID)
  const middle = Math.min(Math.floor(step / 2 / GRID) * GRID, Math.floor((to - from) / 2))
  let total = 0
  let count = 0
  let low = Infinity
  let high = -Infinity
  for (let at = from + middle; at < to; at += step) {
    const value = series.valueAt(at)
    if (Number.isNaN(value)) continue
    total += value
    count++
    if (value < low) low = value
    if (value > high) high = value
  }
  if (count === 0) return NaN
  return method === 'sum'
    ? total
    : method === 'min'
      ? low
      : method === 'max'
        ? high
        : method === 'count'
          ? count
          : total / count
}

function reduce(rows: readonly Float64Array[], method: Aggregator, length: number): Float64Array {
  const out = new Float64Array(length).fill(NaN)
  for (let i = 0; i < length; i++) {
    let value = NaN
    let count = 0
    for (const row of rows) {
      const next = row[i] ?? NaN
      if (Number.isNaN(next)) continue
      count++
      value =
        count === 1
          ? next
          : method === 'min'
            ? Math.min(value, next)
            : method === 'max'
              ? Math.max(value, next)
              : value + next
    }
    if (count > 0) out[i] = method === 'avg' ? value / count : method === 'count' ? count : value
  }
  return out
}

const ladder = [5, 10, 20, 60, 120, 300, 600, 1200, 3600, 7200, 14_400, 43_200, 86_400]
const MAX_POINTS = 1500

/**
 * The buckets of a v1 answer for a window in seconds: at most 300 of them unless a rollup says otherwise, the
 * last one partial.
 */
export function windowBuckets(
  from: number,
  to: number,
  rollup: number | undefined,
  now: number
): Buckets {
  const interval = rollup ?? ladder.find(step => (to - from) / step <= 300) ?? 86_400
  const step = interval * 1000
  const start = Math.ceil(from / interval) * step
  const end = Math.min(to * 1000, now)
  const count = end <= start ? 0 : Math.floor((end - 1 - start) / step) + 1
  if (count > MAX_POINTS)
    throw refuse(
      400,
      `Error parsing query: too many points requested (${count}), the maximum is ${MAX_POINTS}`
    )
  return { start, count, step, width: step, end }
}
