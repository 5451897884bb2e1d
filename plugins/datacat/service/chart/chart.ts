import type { GroupName } from '../../store/chart/extent.ts'
import type { Selection } from '../../store/chart/selection.ts'
import type { Aggregation } from '../../wire/aggregation.ts'

/** What a chart shows of a selection; `maxPoints` is for each group. */
export interface ChartQuery extends Omit<Selection, 'untilMs' | 'series'> {
  readonly aggregation: Aggregation
  readonly per: 'session' | 'time'
  readonly maxPoints: number
}
/** One that has begun, and knows when its time is up. */
export type TimedQuery = ChartQuery & Pick<Selection, 'untilMs'>
/**
 * One point of a chart; a bucket of several says their smallest and largest value and how many
 * samples they stand for. Times are epoch milliseconds.
 */
export interface ChartPoint {
  readonly at: number
  readonly value: number
  readonly session?: string
  readonly min?: number
  readonly max?: number
  readonly count?: number
}
export interface ChartGroup extends GroupName {
  readonly sessions: number
  readonly points: readonly ChartPoint[]
}
/** The figures of a whole chart, over samples; null where there are none, or of several units. */
export interface ChartFigures {
  readonly peak: number | null
  readonly average: number | null
  readonly min: number | null
  readonly count: number
}
/** Everything of a chart but how many sessions passed. */
export interface ChartBody extends ChartFigures {
  /**
   * False when a percentile was taken of every `sampledEvery`th point only, when counts and sums of
   * buckets may be off by the points of a rollup, when means stand for the samples of a histogram
   * or a timer, or when some points have tags that are not told apart.
   */
  readonly exact: boolean
  readonly sampledEvery: number
  readonly groups: readonly ChartGroup[]
}
export interface Chart extends ChartBody {
  readonly sessionsMatched: number
}
