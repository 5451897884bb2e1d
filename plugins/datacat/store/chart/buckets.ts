import type { Knex } from '../../../../core/index.ts'
import { ask } from './ask.ts'
import type { GroupName } from './extent.ts'
import { parts } from './parts.ts'
import { bindings, seriesCte, type Selection } from './selection.ts'

/** What is known of some neighbouring points of one group; times are epoch milliseconds. */
export interface Bucket extends GroupName {
  readonly at: number
  readonly till: number
  readonly minimum: number
  readonly maximum: number
  readonly total: number
  readonly points: number
  /** How many samples the points stand for. */
  readonly weight: number
  /** A percentile, where one was asked for. */
  readonly value: number | null
}
/** A single point as it is. */
export interface Exact {
  readonly at: number
  readonly value: number
  readonly session?: string
}
/** Where buckets begin and end, epoch milliseconds, and how many there are. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** A bucket as PostgreSQL says it. */
export interface BucketRow {
  readonly unit: string | null
  readonly grp: string | null
  readonly at: string
  readonly till: string
  readonly minimum: number
  readonly maximum: number
  readonly total: number
  readonly points: string
  readonly weight: number
  readonly value?: number | null
}
export const bucketOf = (row: BucketRow): Bucket => ({
  unit: row.unit,
  group: row.grp,
  at: Number(row.at),
  till: Number(row.till),
  minimum: row.minimum,
  maximum: row.maximum,
  total: row.total,
  points: Number(row.points),
  weight: Number(row.weight),
  value: row.value ?? null
})

/** What `stepOf` binds. */
export const edges = ({ from, to, count }: Span) => ({
  low: from,
  width: Math.max(1, (to - from + 1) / count)
})
/** The number of the bucket a time falls into. */
export const stepOf = (at: string): string => `floor((${at} - :low)::float8 / :width)`

const sums = `
  min(at) as at,
  max(till) as till,
  min(minimum) as minimum,
  max(maximum) as maximum,
  sum(total) as total,
  sum(points) as points,
  sum(weight)::float8 as weight`

/** At most `count` buckets of equal width in each group, from rollups of `level`. */
export async function readBuckets(
  db: Knex,
  selection: Selection,
  level: number,
  span: Span
): Promise<Bucket[]> {
  const sql = `${seriesCte}
    select unit, grp, ${sums}
    from (${parts(level, selection)}) part
    group by unit, grp, ${stepOf('at')}
    order by unit nulls first, grp nulls first, at`
  return (await ask<BucketRow>(db, selection, sql, bindings(db, selection, edges(span)))).map(
    bucketOf
  )
}

/** One point of `part` that stands at an end of all, in the columns of a bucket. */
const extreme = (at: string, value: string, sought: string): string => `
  (
    select 1, null::text, null::text, part.${at}, null, part.${value}, null, null, null, null,
      part.session
    from part, ends
    where ${sought}
    limit 1
  )`
const extremes = [
  extreme('at', 'first', 'part.at = ends.at'),
  extreme('till', 'last', 'part.till = ends.till'),
  extreme('min_at', 'minimum', 'part.minimum = ends.minimum'),
  extreme('max_at', 'maximum', 'part.maximum = ends.maximum')
]

/** Such buckets, and over all of them the first, last, smallest and largest point. */
export async function readBucketsAndEnds(
  db: Knex,
  selection: Selection,
  level: number,
  span: Span
): Promise<{ buckets: Bucket[]; ends: Exact[] }> {
  const sql = `${seriesCte},
    part as materialized (${parts(level, selection)}),
    bucket as materialized (
      select unit, grp, ${sums}
      from part
      group by unit, grp, ${stepOf('at')}
    ),
    ends as materialized (
      select min(at) as at,
        max(till) as till,
        min(minimum) as minimum,
        max(maximum) as maximum
      from bucket
    )
    select 0 as kind, bucket.*, null::uuid as session
    from bucket
    union all ${extremes.join(' union all ')}
    order by kind, unit nulls first, grp nulls first, at`
  const rows = await ask<BucketRow & { readonly kind: number; readonly session: string }>(
    db,
    selection,
    sql,
    bindings(db, selection, edges(span))
  )
  return {
    buckets: rows.filter(row => row.kind === 0).map(bucketOf),
    ends: rows
      .filter(row => row.kind === 1)
      .map(row => ({ at: Number(row.at), value: row.minimum, session: row.session }))
  }
}

/** A single point, and how many samples it stands for. */
export interface SinglePoint extends Exact, GroupName {
  readonly session: string
  readonly weight: number
}

/** Single points in the order of their times; at most `limit`. */
export async function readPoints(
  db: Knex,
  selection: Selection,
  limit: number
): Promise<SinglePoint[]> {
  const sql = `${seriesCte}
    select unit, grp as "group", session, at, minimum as value, weight
    from (${parts(0, selection)}) part
    order by unit nulls first, grp nulls first, at
    limit :limit`
  const asked = bindings(db, selection, { limit })
  const rows = await ask<Omit<SinglePoint, 'at'> & { readonly at: string }>(
    db,
    selection,
    sql,
    asked
  )
  return rows.map(row => ({ ...row, at: Number(row.at) }))
}
