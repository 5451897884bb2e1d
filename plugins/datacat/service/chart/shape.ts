import type { Bucket } from '../../store/chart/buckets.ts'
import { groupKey, type Extent, type GroupName } from '../../store/chart/extent.ts'
import type { Selection } from '../../store/chart/selection.ts'
import type { Aggregation } from '../../wire/aggregation.ts'
import type { ChartFigures, ChartGroup, ChartPoint } from './chart.ts'

// A percentile of more points is taken of a regular sample, and says so.
const maxExactPoints = 1_000_000

/** Of how many points a percentile takes one. */
export const everyOf = (points: number): number => Math.max(1, Math.ceil(points / maxExactPoints))

/** The coarsest rollups that still fill the budget; 0 reads single points. */
export const levelFor = (points: number, maxPoints: number): number =>
  Math.max(0, Math.min(3, Math.floor(Math.log(points / maxPoints) / Math.log(64))))

/** Whether the range holds every point there is. */
export const isWhole = ({ from, to }: Selection, extent: Extent): boolean =>
  (from === null || from <= extent.from) && (to === null || to > extent.to)

/** What a bucket is in a chart. */
export function pointOf(
  aggregation: Aggregation,
  { at: from, till, minimum, maximum, total, points, weight, value }: Bucket
): ChartPoint {
  const average = meanOf(total, weight, minimum)
  const figures = {
    all: average,
    max: maximum,
    average,
    min: minimum,
    count: weight,
    sum: total,
    percentile: value ?? average
  }
  // Among single points a bucket stands in its middle, so that the first and last keep their places.
  const at = aggregation.kind === 'all' ? Math.floor((from + till) / 2) : from
  return {
    at,
    value: figures[aggregation.kind],
    ...(points > 1 ? { min: minimum, max: maximum, count: weight } : {})
  }
}

/** Points that stand for no sample, as those of an idle histogram, have no mean but themselves. */
const meanOf = (total: number, weight: number, value: number): number =>
  weight > 0 ? total / weight : value

/** What the figures of a whole chart are made of. */
export interface Part {
  readonly minimum: number
  readonly maximum: number
  readonly total: number
  readonly weight: number
}
/** One value, as often as it counts. */
export const partOf = (value: number, weight = 1): Part => ({
  minimum: value,
  maximum: value,
  total: value * weight,
  weight
})

/** The figures of a whole chart. */
export function statsOf(parts: readonly Part[]): ChartFigures {
  if (parts.length === 0) return { peak: null, average: null, min: null, count: 0 }
  let [peak, min, total, count] = [-Infinity, Infinity, 0, 0]
  for (const part of parts) {
    peak = Math.max(peak, part.maximum)
    min = Math.min(min, part.minimum)
    total += part.total
    count += part.weight
  }
  return { peak, min, average: meanOf(total, count, min), count }
}

/** Rows by their group, in the order they came. */
export function groupsOf<T extends GroupName>(
  rows: readonly T[],
  extent: Extent,
  pointsOf: (rows: readonly T[]) => ChartPoint[]
): ChartGroup[] {
  const groups = Map.groupBy(rows, groupKey)
  return [...groups].flatMap(([key, members]) => {
    const [first] = members
    if (!first) return []
    // A group whose first point came after the extent was read has no count there yet.
    const sessions = extent.sessions.get(key) ?? 1
    return [{ unit: first.unit, group: first.group, sessions, points: pointsOf(members) }]
  })
}
