import { RayneError, type Knex } from '../../../../core/index.ts'
import { datacatErrors } from '../../contract.ts'
import { maxChartMs } from '../../store/chart/ask.ts'
import { readExtent, type Extent } from '../../store/chart/extent.ts'
import { asksForTags, hasMixed, type Selection } from '../../store/chart/selection.ts'
import type { Chart, ChartBody, ChartFigures, ChartQuery, TimedQuery } from './chart.ts'
import { overTime } from './over-time.ts'
import { perSession } from './per-session.ts'

const maxGroups = 100
const noFigures: ChartFigures = { peak: null, average: null, min: null, count: 0 }
const nothing: ChartBody = { ...noFigures, exact: true, sampledEvery: 1, groups: [] }

/**
 * Reads a chart: single points where there are few, rollups where there are many, never more than
 * `maxPoints` a group; 422 for more than 100 groups and for a chart that takes over 20 s. Points of
 * different units are different groups.
 */
export async function readChart(db: Knex, asked: ChartQuery): Promise<Chart> {
  const query = { ...asked, untilMs: performance.now() + maxChartMs }
  const extent = await readExtent(db, query)
  if (extent.sessions.size > maxGroups) throw tooManyGroups(extent.sessions.size)
  const isComplete = !asksForTags(query) || !(await hasMixed(db, query))
  const body = await read(db, query, extent)
  const figures = extent.units.length > 1 ? { ...noFigures, count: body.count } : {}
  const exact = body.exact && isComplete && !standsForMore(query, extent)
  return { sessionsMatched: extent.matched, ...body, ...figures, exact }
}

/** Averages, sums and counts weigh means by their samples; of other figures the means are all that is known. */
const standsForMore = ({ aggregation: { kind } }: ChartQuery, { isWeighted }: Extent): boolean =>
  isWeighted && kind !== 'average' && kind !== 'sum' && kind !== 'count'

async function read(db: Knex, query: TimedQuery, extent: Extent): Promise<ChartBody> {
  const points = pointsInRange(query, extent)
  if (points === 0) return nothing
  const isPerSession = query.aggregation.kind !== 'all' && query.per === 'session'
  return isPerSession ? perSession(db, query, extent, points) : overTime(db, query, extent, points)
}

/** About how many points lie in the range, were they spread evenly. */
function pointsInRange({ from, to }: Pick<Selection, 'from' | 'to'>, extent: Extent): number {
  if (extent.points === 0) return 0
  const low = Math.max(from ?? extent.from, extent.from)
  const high = Math.min(to ?? extent.to + 1, extent.to + 1)
  if (high <= low) return 0
  return Math.ceil((extent.points * (high - low)) / (extent.to - extent.from + 1))
}

const tooManyGroups = (count: number): RayneError =>
  new RayneError({
    code: datacatErrors['too-many-groups'],
    message:
      `group_by has ${count} values; a chart shows at most ${maxGroups}: ` +
      'choose another path or tag, or narrow the sessions'
  })
