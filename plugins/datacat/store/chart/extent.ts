import type { Knex } from '../../../../core/index.ts'
import { applyFilter, withoutTags } from '../filters.ts'
import { ask } from './ask.ts'
import { chosen, type Selection } from './selection.ts'

/** What tells the lines of a chart apart. */
export interface GroupName {
  readonly unit: string | null
  readonly group: string | null
}
export const groupKey = ({ unit, group }: GroupName): string => JSON.stringify([unit, group])

/** How much a chart is about; times are epoch milliseconds. */
export interface Extent {
  readonly matched: number
  readonly points: number
  readonly series: number
  readonly from: number
  readonly to: number
  /** How many sessions each group has, by its key. */
  readonly sessions: ReadonlyMap<string, number>
  readonly units: readonly (string | null)[]
  /** Whether a point stands for more samples than one. */
  readonly isWeighted: boolean
  /** The series that hold the first, last, smallest and largest point of all. */
  readonly ends: readonly number[]
}

interface Row {
  readonly matched: string
  readonly unit: string | null
  readonly grp: string | null
  readonly sessions: number | null
  readonly series: number
  readonly points: string
  readonly weighted: boolean
  readonly from_at: string
  readonly to_at: string
  readonly ends: readonly string[]
}

const sql = `
  select m.n as matched, g.*
  from :passing as m
  left join (
    select unit,
      grp,
      count(distinct session)::int as sessions,
      count(*)::int as series,
      sum(points) as points,
      bool_or(weighted) as weighted,
      min(first_at) as from_at,
      max(last_at) as to_at,
      array[
        (array_agg(id order by first_at))[1],
        (array_agg(id order by last_at desc))[1],
        (array_agg(id order by minimum))[1],
        (array_agg(id order by maximum desc))[1]
      ] as ends
    from :chosen as chosen
    group by unit, grp
  ) g on true`

/** How many sessions pass, how many points the metric has in them, and between which times. */
export async function readExtent(db: Knex, selection: Selection): Promise<Extent> {
  const passing = db('datacat_sessions as s').count({ n: '*' })
  applyFilter(passing, withoutTags(selection.filter))
  const rows = await ask<Row>(db, selection, sql, { passing, chosen: chosen(db, selection) })
  const found = rows.filter(row => row.sessions !== null)
  const sum = (of: (row: Row) => number): number => found.reduce((all, row) => all + of(row), 0)
  return {
    matched: Number(rows[0]?.matched),
    sessions: new Map(
      found.map(row => [groupKey({ unit: row.unit, group: row.grp }), Number(row.sessions)])
    ),
    units: [...new Set(found.map(row => row.unit))],
    isWeighted: found.some(row => row.weighted),
    points: sum(row => Number(row.points)),
    series: sum(row => row.series),
    from: found.reduce((least, row) => Math.min(least, Number(row.from_at)), Infinity),
    to: found.reduce((most, row) => Math.max(most, Number(row.to_at)), -Infinity),
    ends: [...new Set(found.flatMap(row => row.ends.map(Number)))]
  }
}
