import { RayneError, type Knex } from '../../../../core/index.ts'
import { datacatErrors } from '../../contract.ts'
import { readExtent, type Extent } from '../../store/chart/extent.ts'
import type { Selection } from '../../store/chart/selection.ts'
import type { Chart, ChartQuery } from './chart.ts'
import { overTime } from './over-time.ts'
import { perSession } from './per-session.ts'

const maxGroups = 100
const nothing = {
  exact: true,
  sampledEvery: 1,
  peak: null,
  average: null,
  min: null,
  count: 0,
  groups: []
} as const

/**
 * Reads a chart: single points where there are few, rollups where there are many, never more than
 * `maxPoints` a group; 422 for more than 100 groups and for a chart that takes over 20 s.
 */
export async function readChart(db: Knex, query: ChartQuery): Promise<Chart> {
  const extent = await readExtent(db, query)
  if (extent.sessions.size > maxGroups) throw tooManyGroups(extent.sessions.size)
  const points = pointsInRange(query, extent)
  return { sessionsMatched: extent.matched, ...(await read(db, query, extent, points)) }
}

async function read(db: Knex, query: ChartQuery, extent: Extent, points: number) {
  if (points === 0) return nothing
  const isPerSession = query.aggregation.kind !== 'all' && query.per === 'session'
  return isPerSession ? perSession(db, query, extent, points) : overTime(db, query, extent, points)
}

/** About how many points lie in the range, were they spread evenly. */
function pointsInRange({ from, to }: Selection, extent: Extent): number {
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
      `the path of group_by has ${count} values; a chart shows at most ${maxGroups}: ` +
      'choose another path, or narrow the sessions'
  })
