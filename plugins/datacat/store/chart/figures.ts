import type { Knex } from '../../../../core/index.ts'
import { ask } from './ask.ts'
import { bucketOf, type Bucket, type BucketRow } from './buckets.ts'
import { parts } from './parts.ts'
import { bindings, seriesCte, type Selection } from './selection.ts'

/** What is known of the points of one session; stands at the time it was opened. */
export interface SessionFigure extends Bucket {
  readonly session: string
}
export type FigureRow = BucketRow & { readonly session: string }
export const figureOf = (row: FigureRow): SessionFigure => ({
  ...bucketOf(row),
  session: row.session
})

const known = `
  select unit,
    grp,
    session,
    opened_at as at,
    max(last_at) as till,
    min(minimum) as minimum,
    max(maximum) as maximum,
    sum(total) as total,
    sum(points) as points,
    sum(points) + sum(extra_weight) as weight
  from :chosen as chosen
  group by unit, grp, session, opened_at
  order by opened_at, session`
const summed = (level: number, selection: Selection): string => `${seriesCte}
  select unit,
    grp,
    session,
    opened_at as at,
    max(part.till) as till,
    min(minimum) as minimum,
    max(maximum) as maximum,
    sum(total) as total,
    sum(points) as points,
    sum(weight)::float8 as weight
  from (${parts(level, selection)}) part
  group by unit, grp, session, opened_at
  order by opened_at, session`

/** One row a session: from what its series know of themselves (level null), else from rollups. */
export async function readFigures(
  db: Knex,
  selection: Selection,
  level: number | null
): Promise<SessionFigure[]> {
  const sql = level === null ? known : summed(level, selection)
  return (await ask<FigureRow>(db, selection, sql, bindings(db, selection, {}))).map(figureOf)
}
