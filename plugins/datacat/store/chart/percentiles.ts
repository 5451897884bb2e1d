import type { Knex } from '../../../../core/index.ts'
import { ask } from './ask.ts'
import { bucketOf, edges, stepOf, type Bucket, type BucketRow, type Span } from './buckets.ts'
import { figureOf, type FigureRow, type SessionFigure } from './figures.ts'
import { inside, pointsOf, sample, total, weight } from './parts.ts'
import { bindings, seriesCte, type Selection } from './selection.ts'

/** A percentile (0 to 1) of single points, of every `every`th. */
export interface Percentile {
  readonly p: number
  readonly every: number
  /** Whether a point may stand for several samples; then its mean stands for each of them. */
  readonly isWeighted: boolean
}

const single = `
  select c.unit,
    c.grp,
    c.session,
    c.opened_at,
    p.at,
    ${sample} as sample,
    ${total} as total,
    ${weight} as weight
  from c ${pointsOf(`${inside} and p.n % :every = 0`)}`
const sums = `
  min(sample) as minimum,
  max(sample) as maximum,
  sum(total) as total,
  count(*) as points,
  sum(weight)::float8 as weight`
/** The smallest sample that has the share of all samples below it or at it. */
const ranked = (group: string): string => `
  select *,
    sum(weight) over (
      partition by ${group} order by sample rows unbounded preceding
    ) as reached,
    sum(weight) over (partition by ${group}) as whole
  from point`

/** Sums and the percentile of each group of points. */
const byGroup = (
  group: string,
  columns: string,
  { isWeighted }: Percentile
): string => `${seriesCte},
  point as (${single})
  select ${columns}, ${sums},
    ${
      isWeighted
        ? 'min(sample) filter (where reached >= :p * whole)'
        : 'percentile_cont(:p) within group (order by sample)'
    } as value
  from ${isWeighted ? `(${ranked(group)}) ranked` : 'point'}
  group by ${group}`

/** A percentile per bucket of time. */
export async function readPercentiles(
  db: Knex,
  selection: Selection,
  percentile: Percentile,
  span: Span
): Promise<Bucket[]> {
  const columns = 'unit, grp, min(at) as at, max(at) as till'
  const sql = `${byGroup(`unit, grp, ${stepOf('at')}`, columns, percentile)}
    order by unit nulls first, grp nulls first, at`
  const { p, every } = percentile
  const asked = bindings(db, selection, { p, every, ...edges(span) })
  return (await ask<BucketRow>(db, selection, sql, asked)).map(bucketOf)
}

/** A percentile of each session. */
export async function readSessionPercentiles(
  db: Knex,
  selection: Selection,
  percentile: Percentile
): Promise<SessionFigure[]> {
  const columns = 'unit, grp, session, opened_at as at, max(at) as till'
  const sql = `${byGroup('unit, grp, session, opened_at', columns, percentile)}
    order by opened_at, session`
  const { p, every } = percentile
  return (await ask<FigureRow>(db, selection, sql, bindings(db, selection, { p, every }))).map(
    figureOf
  )
}
