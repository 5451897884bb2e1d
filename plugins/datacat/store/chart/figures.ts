import type { Knex } from '../../../../core/index.ts'
import { ask } from './ask.ts'
import { bucketOf, type Bucket, type BucketRow } from './buckets.ts'
import { bounded, inside, parts, pointsOf } from './parts.ts'
import { bindings, seriesCte, type Selection } from './selection.ts'

/** What is known of the points of one session; stands at the time it was opened. */
export interface SessionFigure extends Bucket {
  readonly session: string
}
type Row = BucketRow & { readonly session: string }
const figureOf = (row: Row): SessionFigure => ({ ...bucketOf(row), session: row.session })

const known = `
  select grp,
    session,
    opened_at as at,
    last_at as till,
    minimum,
    maximum,
    total,
    points
  from :chosen as chosen
  order by opened_at, session`
const summed = (level: number, selection: Selection): string => `${seriesCte}
  select grp,
    session,
    opened_at as at,
    max(part.till) as till,
    min(minimum) as minimum,
    max(maximum) as maximum,
    sum(total) as total,
    sum(points) as points
  from (${parts(level, selection)}) part
  group by grp, session, opened_at
  order by opened_at, session`

/** One row a session: from what its series knows of itself (level null), else from rollups. */
export async function readFigures(
  db: Knex,
  selection: Selection,
  level: number | null
): Promise<SessionFigure[]> {
  const sql = level === null ? known : summed(level, selection)
  return (await ask<Row>(db, sql, bindings(db, selection, {}))).map(figureOf)
}

/** A percentile (0 to 1) of each session from single points, of every `every`th. */
export async function readSessionPercentiles(
  db: Knex,
  selection: Selection,
  { p, every }: { readonly p: number; readonly every: number }
): Promise<SessionFigure[]> {
  const sql = `${seriesCte}
    select c.grp,
      c.session,
      c.opened_at as at,
      max(p.at) as till,
      min(p.value) as minimum,
      max(p.value) as maximum,
      sum(${bounded}) as total,
      count(*) as points,
      percentile_cont(:p) within group (order by p.value) as value
    from c ${pointsOf(`${inside} and p.n % :every = 0`)}
    group by c.grp, c.session, c.opened_at
    order by c.opened_at, c.session`
  return (await ask<Row>(db, sql, bindings(db, selection, { p, every }))).map(figureOf)
}
