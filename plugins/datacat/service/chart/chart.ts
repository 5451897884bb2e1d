import type { Selection } from '../../store/chart/selection.ts'
import type { Aggregation } from '../../wire/aggregation.ts'

/** What a chart shows of a selection; `maxPoints` is for each group. */
export interface ChartQuery extends Selection {
  readonly aggregation: Aggregation
  readonly per: 'session' | 'time'
  readonly maxPoints: number
}
/**
 * One point of a chart; a bucket of several says their smallest and largest value and how many
 * they are. Times are epoch milliseconds.
 */
export interface ChartPoint {
  readonly at: number
  readonly value: number
  readonly session?: string
  readonly min?: number
  readonly max?: number
  readonly count?: number
}
export interface ChartGroup {
  readonly group: string | null
  readonly sessions: number
  readonly points: readonly ChartPoint[]
}
/** Everything of a chart but how many sessions passed. */
export interface ChartBody {
  /**
   * False when a percentile was taken of every `sampledEvery`th point only, or when counts and
   * sums of buckets may be off by the points of a rollup.
   */
  readonly exact: boolean
  readonly sampledEvery: number
  readonly peak: number | null
  readonly average: number | null
  readonly min: number | null
  readonly count: number
  readonly groups: readonly ChartGroup[]
}
export interface Chart extends ChartBody {
  readonly sessionsMatched: number
}
