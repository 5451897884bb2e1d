import type { Knex } from '../../../../core/index.ts'
import {
  readBuckets,
  readBucketsAndEnds,
  readPoints,
  type Bucket,
  type Exact,
  type Span
} from '../../store/chart/buckets.ts'
import { readPercentiles } from '../../store/chart/percentiles.ts'
import type { Extent } from '../../store/chart/extent.ts'
import type { Selection } from '../../store/chart/selection.ts'
import type { ChartBody, ChartPoint, TimedQuery } from './chart.ts'
import { everyOf, groupsOf, isWhole, levelFor, partOf, pointOf, statsOf } from './shape.ts'

// Counts and sums show that a rollup belongs to one bucket whole: up to here they are made of
// single points.
const maxCountedPoints = 200_000
// With more series, their parts fill more memory than a query has.
const maxSeriesAtOnce = 8

/** Buckets of time; `points` is about how many points lie in the range. */
export async function overTime(
  db: Knex,
  query: TimedQuery,
  extent: Extent,
  points: number
): Promise<ChartBody> {
  if (query.aggregation.kind === 'all' && points <= query.maxPoints) {
    const found = await singlePoints(db, query, extent)
    if (found) return found
  }
  return buckets(db, query, extent, points)
}

/** The points as they are, when they fit. */
async function singlePoints(
  db: Knex,
  query: TimedQuery,
  extent: Extent
): Promise<ChartBody | undefined> {
  // A range may hold more than its share: one more row than the budget tells.
  const found = await readPoints(db, query, query.maxPoints + 1)
  if (found.length > query.maxPoints) return undefined
  return {
    ...statsOf(found.map(({ value, weight }) => partOf(value, weight))),
    exact: true,
    sampledEvery: 1,
    groups: groupsOf(found, extent, rows =>
      rows.map(({ at, value, session }) => ({ at, value, session }))
    )
  }
}

async function buckets(
  db: Knex,
  query: TimedQuery,
  extent: Extent,
  points: number
): Promise<ChartBody> {
  const { aggregation, maxPoints } = query
  const isAll = aggregation.kind === 'all'
  const isCounted = aggregation.kind === 'count' || aggregation.kind === 'sum'
  const level = isCounted && points <= maxCountedPoints ? 0 : levelFor(points, maxPoints)
  const every = aggregation.kind === 'percentile' ? everyOf(points) : 1
  const span = spanOf(query, extent, isAll ? Math.max(1, maxPoints - 4) : maxPoints)
  const found =
    aggregation.kind === 'percentile'
      ? {
          buckets: await readPercentiles(
            db,
            query,
            { p: aggregation.p, every, isWeighted: extent.isWeighted },
            span
          ),
          ends: []
        }
      : isAll && extent.sessions.size === 1
        ? await withEnds(db, query, extent, level, span)
        : { buckets: await readBuckets(db, query, level, span), ends: [] }
  const groups = groupsOf(found.buckets, extent, rows =>
    rows.map(bucket => pointOf(aggregation, bucket))
  )
  return {
    ...statsOf(found.buckets),
    exact: every === 1 && !(isCounted && level > 0),
    sampledEvery: every,
    groups: groups.map(group => ({ ...group, points: amongBuckets(group.points, found.ends) }))
  }
}

const spanOf = ({ from, to }: Selection, extent: Extent, count: number): Span => ({
  from: Math.max(from ?? extent.from, extent.from),
  to: Math.min((to ?? extent.to + 1) - 1, extent.to),
  count
})

/**
 * Buckets, and the points at the ends; over many series these are looked for in the few series
 * that hold them.
 */
async function withEnds(
  db: Knex,
  query: TimedQuery,
  extent: Extent,
  level: number,
  span: Span
): Promise<{ buckets: Bucket[]; ends: Exact[] }> {
  if (extent.series <= maxSeriesAtOnce) return readBucketsAndEnds(db, query, level, span)
  const found = await readBuckets(db, query, level, span)
  if (!isWhole(query, extent)) return { buckets: found, ends: endsOf(found) }
  const few = { ...query, series: extent.ends }
  const { ends } = await readBucketsAndEnds(db, few, Math.min(1, level), span)
  return { buckets: found, ends }
}

/** In a part of the time any series may hold the ends: they stand where their buckets begin. */
function endsOf([first, ...others]: readonly Bucket[]): Exact[] {
  if (!first) return []
  const least = others.reduce((a, b) => (b.minimum < a.minimum ? b : a), first)
  const most = others.reduce((a, b) => (b.maximum > a.maximum ? b : a), first)
  return [
    { at: least.at, value: least.minimum },
    { at: most.at, value: most.maximum }
  ]
}

/** The first, last, smallest and largest point stand among the buckets as they are. */
function amongBuckets(points: readonly ChartPoint[], ends: readonly Exact[]): ChartPoint[] {
  const keyOf = ({ at, value }: Exact): string => `${at} ${value}`
  const exact = new Map(ends.map(point => [keyOf(point), point]))
  return [
    ...points.filter(point => point.count !== undefined || !exact.has(keyOf(point))),
    ...exact.values()
  ].sort((a, b) => a.at - b.at)
}
