import type { Knex } from '../../../../core/index.ts'
import type { Extent } from '../../store/chart/extent.ts'
import { readFigures } from '../../store/chart/figures.ts'
import { readSessionPercentiles } from '../../store/chart/percentiles.ts'
import type { ChartBody, ChartPoint, TimedQuery } from './chart.ts'
import { everyOf, groupsOf, isWhole, levelFor, partOf, pointOf, statsOf } from './shape.ts'

/** One point a session, at the time it was opened; the figures are over these points. */
export async function perSession(
  db: Knex,
  query: TimedQuery,
  extent: Extent,
  points: number
): Promise<ChartBody> {
  const { aggregation, maxPoints } = query
  const every = aggregation.kind === 'percentile' ? everyOf(points) : 1
  const level = isWhole(query, extent) ? null : Math.min(1, levelFor(points, maxPoints))
  const figures =
    aggregation.kind === 'percentile'
      ? await readSessionPercentiles(db, query, {
          p: aggregation.p,
          every,
          isWeighted: extent.isWeighted
        })
      : await readFigures(db, query, level)
  const values = figures.map(figure => {
    const { at, value } = pointOf(aggregation, figure)
    const { unit, group, session } = figure
    return { unit, group, point: { at, value, session } }
  })
  return {
    ...statsOf(values.map(({ point }) => partOf(point.value))),
    exact: every === 1,
    sampledEvery: every,
    groups: groupsOf(values, extent, rows =>
      thin(
        rows.map(row => row.point),
        maxPoints
      )
    )
  }
}

/**
 * At most `maxPoints` of the points: the first, the last, the smallest, the largest, and of the
 * others every so many.
 */
function thin(points: readonly ChartPoint[], maxPoints: number): ChartPoint[] {
  if (points.length <= maxPoints) return [...points]
  const values = points.map(point => point.value)
  const smallest = values.reduce((a, b) => Math.min(a, b))
  const largest = values.reduce((a, b) => Math.max(a, b))
  const kept = new Set([0, points.length - 1, values.indexOf(smallest), values.indexOf(largest)])
  const free = Math.max(0, maxPoints - kept.size)
  for (let n = 0; n < free; n++) kept.add(Math.floor((n * points.length) / free))
  return points.filter((_, index) => kept.has(index))
}
