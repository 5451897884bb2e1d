import { RayneError, type Knex } from '../../../core/index.ts'
import { datacatErrors } from '../contract.ts'
import {
  chartStore,
  type Bucket,
  type Exact,
  type Extent,
  type Selection,
  type Span
} from '../store/chart.ts'

/** How points become a number: a percentile carries its share (0 to 1). */
export type Aggregation =
  | { readonly kind: 'all' | 'max' | 'average' | 'min' | 'count' | 'sum' }
  | { readonly kind: 'percentile'; readonly p: number }
export interface ChartQuery extends Selection {
  readonly aggregation: Aggregation
  readonly per: 'session' | 'time'
  readonly budget: number
}
/** One point of a chart; a bucket of several says their smallest and largest value and how many they are. Times are epoch milliseconds. */
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
export interface Chart {
  readonly sessionsMatched: number
  /** False when a percentile was taken of every `sampledEvery`th point only, or when counts and sums of buckets may be off by the points of a rollup. */
  readonly exact: boolean
  readonly sampledEvery: number
  readonly peak: number | null
  readonly average: number | null
  readonly min: number | null
  readonly count: number
  readonly groups: readonly ChartGroup[]
}

// A percentile of more points is taken of a regular sample, and says so.
const exactPoints = 1_000_000
// Counts and sums show that a rollup belongs to one bucket whole: up to here they are made of single points.
const countedPoints = 200_000
const mostGroups = 100
const nothing = {
  exact: true,
  sampledEvery: 1,
  peak: null,
  average: null,
  min: null,
  count: 0,
  groups: []
} as const

/** Reads a chart: single points where there are few, rollups where there are many, never more than the budget a group. */
export async function readChart(db: Knex, query: ChartQuery): Promise<Chart> {
  const extent = await chartStore.extent(db, query)
  const sessionsMatched = extent.matched
  if (extent.sessions.size > mostGroups)
    throw new RayneError({
      code: datacatErrors['too-many-groups'],
      message: `the path of group_by has ${extent.sessions.size} values; a chart shows at most ${mostGroups}: choose another path, or narrow the sessions`
    })
  const points = overlap(query, extent)
  if (points === 0) return { sessionsMatched, ...nothing }
  if (query.aggregation.kind !== 'all' && query.per === 'session')
    return { sessionsMatched, ...(await perSession(db, query, extent, points)) }
  return { sessionsMatched, ...(await overTime(db, query, extent, points)) }
}

/** About how many points lie in the range, were they spread evenly. */
function overlap({ from, to }: Selection, extent: Extent): number {
  if (extent.points === 0) return 0
  const [low, high] = [
    Math.max(from ?? extent.from, extent.from),
    Math.min(to ?? extent.to + 1, extent.to + 1)
  ]
  return high <= low ? 0 : Math.ceil((extent.points * (high - low)) / (extent.to - extent.from + 1))
}

/** The coarsest rollups that still fill the budget; 0 reads single points. */
const levelFor = (points: number, budget: number): number =>
  Math.max(0, Math.min(3, Math.floor(Math.log(points / budget) / Math.log(64))))

const edges = ({ from, to }: Selection, extent: Extent): { from: number; to: number } => ({
  from: Math.max(from ?? extent.from, extent.from),
  to: Math.min((to ?? extent.to + 1) - 1, extent.to)
})

async function overTime(
  db: Knex,
  query: ChartQuery,
  extent: Extent,
  points: number
): Promise<Omit<Chart, 'sessionsMatched'>> {
  const { aggregation, budget } = query
  const isAll = aggregation.kind === 'all'
  // A range may hold more than its share: one more row than the budget tells.
  if (isAll && points <= budget) {
    const found = await chartStore.points(db, query, budget + 1)
    if (found.length <= budget)
      return {
        ...statsOf(
          found.map(point => ({
            minimum: point.value,
            maximum: point.value,
            total: point.value,
            points: 1
          }))
        ),
        exact: true,
        sampledEvery: 1,
        groups: groupsOf(found, extent, rows => rows.map(({ group: _, ...point }) => point))
      }
  }
  const counts = aggregation.kind === 'count' || aggregation.kind === 'sum'
  const level = counts && points <= countedPoints ? 0 : levelFor(points, budget)
  const count = isAll ? Math.max(1, budget - 4) : budget
  const step = aggregation.kind === 'percentile' ? Math.max(1, Math.ceil(points / exactPoints)) : 1
  const span = { ...edges(query, extent), count }
  const { buckets, extremes } =
    aggregation.kind === 'percentile'
      ? {
          buckets: await chartStore.percentiles(db, query, aggregation.p, step, span),
          extremes: []
        }
      : isAll && query.groupBy === null
        ? await withEnds(db, query, extent, level, span)
        : { buckets: await chartStore.buckets(db, query, level, span), extremes: [] }
  const groups = groupsOf(buckets, extent, rows => rows.map(bucket => pointOf(aggregation, bucket)))
  const kept =
    isAll && query.groupBy === null && groups[0]
      ? [{ ...groups[0], points: withExtremes(groups[0].points, extremes) }]
      : groups
  return {
    ...statsOf(buckets),
    exact: step === 1 && !(counts && level > 0),
    sampledEvery: step,
    groups: kept
  }
}

// With more series, their parts fill more memory than a query has.
const fewSeries = 8

/** Buckets, and the points at the ends; over many series these are looked for in the few series that hold them. */
async function withEnds(
  db: Knex,
  query: ChartQuery,
  extent: Extent,
  level: number,
  span: Span
): Promise<{ buckets: Bucket[]; extremes: Exact[] }> {
  if ((extent.sessions.get(null) ?? 0) <= fewSeries)
    return chartStore.bucketsWithExtremes(db, query, level, span)
  const buckets = await chartStore.buckets(db, query, level, span)
  if (isWhole(query, extent))
    return {
      buckets,
      extremes: (
        await chartStore.bucketsWithExtremes(
          db,
          { ...query, series: extent.ends },
          Math.min(1, level),
          span
        )
      ).extremes
    }
  if (buckets.length === 0) return { buckets, extremes: [] }
  // In a part of the time any series may hold them: they stand where their buckets begin.
  const least = buckets.reduce((a, b) => (b.minimum < a.minimum ? b : a))
  const most = buckets.reduce((a, b) => (b.maximum > a.maximum ? b : a))
  return {
    buckets,
    extremes: [
      { at: least.at, value: least.minimum },
      { at: most.at, value: most.maximum }
    ]
  }
}

const isWhole = ({ from, to }: Selection, extent: Extent): boolean =>
  (from === null || from <= extent.from) && (to === null || to > extent.to)

/** The first, last, smallest and largest point stand among the buckets as they are. */
function withExtremes(points: readonly ChartPoint[], extremes: readonly Exact[]): ChartPoint[] {
  const exact = new Map(extremes.map(point => [`${point.at} ${point.value}`, point]))
  return [
    ...points.filter(
      point => point.count !== undefined || !exact.has(`${point.at} ${point.value}`)
    ),
    ...exact.values()
  ].sort((a, b) => a.at - b.at)
}

async function perSession(
  db: Knex,
  query: ChartQuery,
  extent: Extent,
  points: number
): Promise<Omit<Chart, 'sessionsMatched'>> {
  const { aggregation, budget } = query
  const step = aggregation.kind === 'percentile' ? Math.max(1, Math.ceil(points / exactPoints)) : 1
  const figures =
    aggregation.kind === 'percentile'
      ? await chartStore.sessionPercentiles(db, query, aggregation.p, step)
      : await chartStore.figures(
          db,
          query,
          isWhole(query, extent) ? null : Math.min(1, levelFor(points, budget))
        )
  const values = figures.map(figure => ({
    figure,
    ...pointOf(aggregation, figure),
    session: figure.session
  }))
  const groups = groupsOf(
    values.map(one => ({ ...one, group: one.figure.group })),
    extent,
    rows =>
      thin(
        rows.map(({ at, value, session }) => ({ at, value, session })),
        budget
      )
  )
  // The first version's figures are over the per-session numbers.
  const stats = statsOf(
    values.map(({ value }) => ({ minimum: value, maximum: value, total: value, points: 1 }))
  )
  return { ...stats, exact: step === 1, sampledEvery: step, groups }
}

/** At most `budget` of the points: the first, the last, the smallest, the largest, and of the others every so many. */
function thin<P extends ChartPoint>(points: readonly P[], budget: number): P[] {
  if (points.length <= budget) return [...points]
  const extreme = (pick: (a: number, b: number) => boolean): number =>
    points.reduce(
      (best, point, index) => (pick(point.value, points[best]!.value) ? index : best),
      0
    )
  const kept = new Set([0, points.length - 1, extreme((a, b) => a < b), extreme((a, b) => a > b)])
  const free = Math.max(0, budget - kept.size)
  for (let n = 0; n < free; n++) kept.add(Math.floor((n * points.length) / free))
  return points.filter((_, index) => kept.has(index))
}

function pointOf(
  aggregation: Aggregation,
  { at: from, till, minimum, maximum, total, points, value }: Bucket
): ChartPoint {
  const average = total / points
  const figures = {
    all: average,
    max: maximum,
    average,
    min: minimum,
    count: points,
    sum: total,
    percentile: value ?? average
  }
  // Among single points a bucket stands in its middle, so that the first and the last keep their places.
  const at = aggregation.kind === 'all' ? Math.floor((from + till) / 2) : from
  return {
    at,
    value: figures[aggregation.kind],
    ...(points > 1 ? { min: minimum, max: maximum, count: points } : {})
  }
}

function statsOf(
  parts: readonly {
    readonly minimum: number
    readonly maximum: number
    readonly total: number
    readonly points: number
  }[]
): Pick<Chart, 'peak' | 'average' | 'min' | 'count'> {
  if (parts.length === 0) return { peak: null, average: null, min: null, count: 0 }
  let [peak, min, total, count] = [-Infinity, Infinity, 0, 0]
  for (const part of parts) {
    peak = Math.max(peak, part.maximum)
    min = Math.min(min, part.minimum)
    total += part.total
    count += part.points
  }
  return { peak, min, average: total / count, count }
}

function groupsOf<T extends { readonly group: string | null }>(
  rows: readonly T[],
  extent: Extent,
  pointsOf: (rows: readonly T[]) => ChartPoint[]
): ChartGroup[] {
  const groups = new Map<string | null, T[]>()
  for (const row of rows) {
    const group = groups.get(row.group)
    if (group) group.push(row)
    else groups.set(row.group, [row])
  }
  return [...groups].map(([group, members]) => ({
    group,
    sessions: extent.sessions.get(group) ?? 0,
    points: pointsOf(members)
  }))
}
