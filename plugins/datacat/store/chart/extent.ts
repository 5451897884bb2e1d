import type { Knex } from '../../../../core/index.ts'
import { applyFilter } from '../filters.ts'
import { ask } from './ask.ts'
import { chosen, type Selection } from './selection.ts'

/** How much a chart is about; times are epoch milliseconds. */
export interface Extent {
  readonly matched: number
  readonly points: number
  readonly from: number
  readonly to: number
  /** How many sessions each group has. */
  readonly sessions: ReadonlyMap<string | null, number>
  /** The series that hold the first, last, smallest and largest point of all. */
  readonly ends: readonly number[]
}

interface Row {
  readonly matched: string
  readonly grp: string | null
  readonly sessions: number | null
  readonly points: string
  readonly from_at: string
  readonly to_at: string
  readonly ends: readonly string[]
}

const sql = `
  select m.n as matched, g.*
  from :passing as m
  left join (
    select grp,
      count(*)::int as sessions,
      sum(points) as points,
      min(first_at) as from_at,
      max(last_at) as to_at,
      array[
        (array_agg(id order by first_at))[1],
        (array_agg(id order by last_at desc))[1],
        (array_agg(id order by minimum))[1],
        (array_agg(id order by maximum desc))[1]
      ] as ends
    from :chosen as chosen
    group by grp
  ) g on true`

/** How many sessions pass, how many points the metric has in them, and between which times. */
export async function readExtent(db: Knex, selection: Selection): Promise<Extent> {
  const passing = db('datacat_sessions as s').count({ n: '*' })
  applyFilter(passing, selection.filter)
  const rows = await ask<Row>(db, sql, { passing, chosen: chosen(db, selection) })
  const found = rows.filter(row => row.sessions !== null)
  return {
    matched: Number(rows[0]?.matched),
    sessions: new Map(found.map(row => [row.grp, Number(row.sessions)])),
    points: found.reduce((sum, row) => sum + Number(row.points), 0),
    from: Math.min(...found.map(row => Number(row.from_at))),
    to: Math.max(...found.map(row => Number(row.to_at))),
    ends: [...new Set(found.flatMap(row => row.ends.map(Number)))]
  }
}
