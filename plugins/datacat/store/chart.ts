import { RayneError, type Knex } from '../../../core/index.ts'
import { datacatErrors } from '../contract.ts'
import { applyFilter, type SessionFilter } from './filters.ts'
import { pathText } from './states.ts'

/** Which points: of one metric, of the sessions that pass, said to be at or after `from` and before `to` (epoch milliseconds). */
export interface Selection {
  readonly metric: string
  readonly filter: SessionFilter
  readonly from: number | null
  readonly to: number | null
  readonly groupBy: string | null
  /** Only these series. */ readonly series?: readonly number[]
}
export interface Extent {
  readonly matched: number
  readonly points: number
  readonly from: number
  readonly to: number
  readonly sessions: ReadonlyMap<string | null, number>
  /** The series that hold the first, last, smallest and largest point of all. */ readonly ends: readonly number[]
}
/** What is known of some neighbouring points of one group; times are epoch milliseconds. */
export interface Bucket {
  readonly group: string | null
  readonly at: number
  readonly till: number
  readonly minimum: number
  readonly maximum: number
  readonly total: number
  readonly points: number
  readonly value: number | null
}
export interface SessionFigure extends Bucket {
  readonly session: string
}
export interface Exact {
  readonly at: number
  readonly value: number
  readonly session?: string
}

/** The series a selection is about. */
function chosen(
  db: Knex,
  { metric, filter, from, to, groupBy, series }: Selection
): Knex.QueryBuilder {
  const query = db('datacat_sessions as s')
    .join('datacat_series as r', 'r.session_key', 's.key')
    .where('r.name', metric)
    .where('r.points', '>', 0)
    .select(
      'r.id',
      'r.points',
      'r.received_at',
      's.id as session',
      's.created_at as opened_at',
      'r.minimum',
      'r.maximum',
      'r.total',
      'r.first_at',
      'r.last_at'
    )
  applyFilter(query, filter)
  if (from !== null) query.where('r.last_at', '>=', from)
  if (to !== null) query.where('r.first_at', '<', to)
  if (series) query.whereIn('r.id', [...series])
  if (groupBy === null) return query.select(db.raw('null::text as grp'))
  return query
    .leftJoin('datacat_state_values as g', join => {
      join
        .on('g.session_key', 's.key')
        .andOn(db.raw('g.path = ?', [pathText(groupBy)]) as never)
        .andOn(db.raw('g.current and not g.element') as never)
    })
    .select('g.value as grp')
}

const whole = Number.MAX_SAFE_INTEGER
const range = ({ from, to }: Selection): { from: number; to: number } => ({
  from: from ?? -whole,
  to: to ?? whole
})

// A sum of float64 that overflows is an error in PostgreSQL.
const bounded = 'least(greatest(p.value, -1e290), 1e290)'
const single = `p.at as at, p.at as till, p.value as first, p.value as last, p.value as minimum, p.value as maximum, p.at as min_at, p.at as max_at, ${bounded} as total, 1::bigint as points`
const rolled = (level: number): string =>
  `r.from_at as at, r.to_at as till, r.first, r.last, r.minimum, r.maximum, r.min_at, r.max_at, r.total, ${64 ** level}::bigint as points`
const pointsOf = (where: string): string =>
  `join datacat_points p on p.series_id = c.id and p.received_at >= c.received_at and ${where}`
const inside = 'p.at >= :from and p.at < :to'
/** Rollups of a level that no full rollup of the next one covers. */
const rollupsOf = (level: number, top: number, where: string): string =>
  `join datacat_rollups r on r.series_id = c.id and r.level = ${level} and r.received_at >= c.received_at ${level >= top ? '' : `and r.block >= (c.count >> ${6 * (level + 1)}) << 6`} and ${where}`
const stretch = (level: number): string =>
  `p.n >= r.block << ${6 * level} and p.n < (r.block + 1) << ${6 * level}`
const tail = `select c.*, ${single} from c ${pointsOf(`p.n >= (c.count >> 6) << 6 and ${inside}`)}`

/**
 * What lies in the range, in as few rows as possible: rollups of `level` inside it, smaller ones behind the last of these, single
 * points behind the last rollup, and the single points of rollups that reach over an end of the range. Level 0 is single points only,
 * found through the smallest rollups when there is a range.
 */
function parts(level: number, { from, to }: Selection): string {
  const levels = Array.from({ length: level }, (_, n) => n + 1)
  if (from === null && to === null) {
    if (level === 0) return `select c.*, ${single} from c ${pointsOf('true')}`
    return [
      ...levels.map(at => `select c.*, ${rolled(at)} from c ${rollupsOf(at, level, 'true')}`),
      `select c.*, ${single} from c ${pointsOf('p.n >= (c.count >> 6) << 6')}`
    ].join('\nunion all\n')
  }
  const isInside = 'r.from_at >= :from and r.to_at < :to'
  const overlaps = 'r.to_at >= :from and r.from_at < :to'
  if (level === 0)
    return `select c.*, ${single} from c ${rollupsOf(1, 1, overlaps)} ${pointsOf(`${stretch(1)} and ${inside}`)} union all ${tail}`
  return [
    ...levels.map(at => `select c.*, ${rolled(at)} from c ${rollupsOf(at, level, isInside)}`),
    ...levels.map(
      at =>
        `select c.*, ${single} from c ${rollupsOf(at, level, `${overlaps} and not (${isInside})`)} ${pointsOf(`${stretch(at)} and ${inside}`)}`
    ),
    tail
  ].join('\nunion all\n')
}

const seriesCte =
  'with c as materialized (select id, points as count, received_at, session, opened_at, grp from :chosen as chosen)'
const bucketOf = (row: Record<string, string | number | null>): Bucket => ({
  group: row['grp'] as string | null,
  at: Number(row['at']),
  till: Number(row['till']),
  minimum: Number(row['minimum']),
  maximum: Number(row['maximum']),
  total: Number(row['total']),
  points: Number(row['points']),
  value: row['value'] == null ? null : Number(row['value'])
})

/** Where buckets begin and end, epoch milliseconds, and how many there are. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly count: number
}
const widthOf = ({ from, to, count }: Span): number => Math.max(1, (to - from + 1) / count)

const patienceMs = 20_000

/** Runs one query of a chart; one that takes too long is cancelled, and the caller told what to do. */
async function ask<T>(db: Knex, sql: string, bindings: object): Promise<T[]> {
  return db
    .raw(sql, bindings as never)
    .timeout(patienceMs, { cancel: true })
    .then(
      (result: { rows: T[] }) => result.rows,
      (error: unknown) => {
        if (
          !(error instanceof Error) ||
          error.name !== 'KnexTimeoutError' ||
          !error.message.startsWith('Defined query timeout')
        )
          throw error
        throw new RayneError({
          code: datacatErrors['chart-too-large'],
          message:
            `the chart took longer than ${patienceMs / 1000} s: ` +
            'ask for a shorter time, fewer sessions, or no percentile',
          cause: error
        })
      }
    )
}

/** SQL of charts. */
export const chartStore = {
  /** How many sessions pass, how many points the metric has in them, and between which times. */
  async extent(db: Knex, selection: Selection): Promise<Extent> {
    const passing = db('datacat_sessions as s').count({ n: '*' })
    applyFilter(passing, selection.filter)
    const rows = await ask<never>(
      db,
      `select m.n as matched, g.* from :passing as m left join (select grp, count(*)::int as sessions, sum(points) as points, min(first_at) as from_at, max(last_at) as to_at,
        array[(array_agg(id order by first_at))[1], (array_agg(id order by last_at desc))[1], (array_agg(id order by minimum))[1], (array_agg(id order by maximum desc))[1]] as ends from :chosen as chosen group by grp) g on true`,
      { passing: passing as never, chosen: chosen(db, selection) as never }
    )
    const all = rows as {
      matched: string
      grp: string | null
      sessions: number | null
      points: string
      from_at: string
      to_at: string
      ends: string[]
    }[]
    const found = all.filter(row => row.sessions !== null)
    return {
      matched: Number(all[0]?.matched),
      sessions: new Map(found.map(row => [row.grp, row.sessions ?? 0])),
      points: found.reduce((sum, row) => sum + Number(row.points), 0),
      from: Math.min(...found.map(row => Number(row.from_at))),
      to: Math.max(...found.map(row => Number(row.to_at))),
      ends: [...new Set(found.flatMap(row => row.ends.map(Number)))]
    }
  },

  /** At most `count` buckets of equal width in each group, from rollups of `level`. */
  async buckets(
    db: Knex,
    selection: Selection,
    level: number,
    { from, to, count }: Span
  ): Promise<Bucket[]> {
    const rows = await ask<never>(
      db,
      `${seriesCte} select grp, min(at) as at, max(till) as till, min(minimum) as minimum, max(maximum) as maximum, sum(total) as total, sum(points) as points from (${parts(level, selection)}) part
      group by grp, floor((at - :low)::float8 / :width) order by grp nulls first, at`,
      {
        chosen: chosen(db, selection) as never,
        ...range(selection),
        low: from,
        width: widthOf({ from, to, count })
      }
    )
    return (rows as Record<string, string>[]).map(bucketOf)
  },

  /** Such buckets, and over all of them the first, last, smallest and largest point. */
  async bucketsWithExtremes(
    db: Knex,
    selection: Selection,
    level: number,
    { from, to, count }: Span
  ): Promise<{ buckets: Bucket[]; extremes: Exact[] }> {
    const extreme = (at: string, value: string, sought: string): string =>
      `(select 1, null::text, part.${at}, null, part.${value}, null, null, null, part.session from part, ends where ${sought} limit 1)`
    const rows = await ask<never>(
      db,
      `${seriesCte}, part as materialized (${parts(level, selection)}),
      bucket as materialized (select grp, min(at) as at, max(till) as till, min(minimum) as minimum, max(maximum) as maximum, sum(total) as total, sum(points) as points from part group by grp, floor((at - :low)::float8 / :width)),
      ends as materialized (select min(at) as at, max(till) as till, min(minimum) as minimum, max(maximum) as maximum from bucket)
      select 0 as kind, bucket.*, null::uuid as session from bucket
      union all ${extreme('at', 'first', 'part.at = ends.at')} union all ${extreme('till', 'last', 'part.till = ends.till')} union all ${extreme('min_at', 'minimum', 'part.minimum = ends.minimum')} union all ${extreme('max_at', 'maximum', 'part.maximum = ends.maximum')}
      order by kind, grp nulls first, at`,
      {
        chosen: chosen(db, selection) as never,
        ...range(selection),
        low: from,
        width: widthOf({ from, to, count })
      } as never
    )
    const all = rows as (Record<string, string> & { kind: number })[]
    return {
      buckets: all.filter(row => row.kind === 0).map(bucketOf),
      extremes: all
        .filter(row => row.kind === 1)
        .map(row => ({
          at: Number(row['at']),
          value: Number(row['minimum']),
          session: row['session']!
        }))
    }
  },

  /** A percentile (0 to 1) per bucket from single points, of every `step`th. */
  async percentiles(
    db: Knex,
    selection: Selection,
    p: number,
    step: number,
    { from, to, count }: Span
  ): Promise<Bucket[]> {
    const rows = await ask<never>(
      db,
      `${seriesCte}
      select c.grp, min(p.at) as at, max(p.at) as till, min(p.value) as minimum, max(p.value) as maximum, sum(${bounded}) as total, count(*) as points, percentile_cont(:p) within group (order by p.value) as value
      from c ${pointsOf(`${inside} and p.n % :step = 0`)}
      group by c.grp, floor((p.at - :low)::float8 / :width) order by c.grp nulls first, at`,
      {
        chosen: chosen(db, selection) as never,
        ...range(selection),
        p,
        step,
        low: from,
        width: widthOf({ from, to, count })
      } as never
    )
    return (rows as Record<string, string>[]).map(bucketOf)
  },

  /** One row a session: from what its series knows of itself when the range holds all of it, else from rollups. */
  async figures(db: Knex, selection: Selection, level: number | null): Promise<SessionFigure[]> {
    const sql =
      level === null
        ? 'select grp, session, opened_at as at, last_at as till, minimum, maximum, total, points from :chosen as chosen order by opened_at, session'
        : `${seriesCte} select grp, session, opened_at as at, max(part.till) as till, min(minimum) as minimum, max(maximum) as maximum, sum(total) as total, sum(points) as points from (${parts(level, selection)}) part group by grp, session, opened_at order by opened_at, session`
    const rows = await ask<never>(db, sql, {
      chosen: chosen(db, selection) as never,
      ...range(selection)
    } as never)
    return (rows as Record<string, string>[]).map(row => ({
      ...bucketOf(row),
      session: String(row['session'])
    }))
  },

  async sessionPercentiles(
    db: Knex,
    selection: Selection,
    p: number,
    step: number
  ): Promise<SessionFigure[]> {
    const rows = await ask<never>(
      db,
      `${seriesCte}
      select c.grp, c.session, c.opened_at as at, max(p.at) as till, min(p.value) as minimum, max(p.value) as maximum, sum(${bounded}) as total, count(*) as points, percentile_cont(:p) within group (order by p.value) as value
      from c ${pointsOf(`${inside} and p.n % :step = 0`)}
      group by c.grp, c.session, c.opened_at order by c.opened_at, c.session`,
      { chosen: chosen(db, selection) as never, ...range(selection), p, step } as never
    )
    return (rows as Record<string, string>[]).map(row => ({
      ...bucketOf(row),
      session: String(row['session'])
    }))
  },

  /** Single points in the order of their times; at most `limit`. */
  async points(
    db: Knex,
    selection: Selection,
    limit: number
  ): Promise<(Exact & { readonly group: string | null })[]> {
    const rows = await ask<never>(
      db,
      `${seriesCte} select grp, session, at, minimum as value from (${parts(0, selection)}) part order by grp nulls first, at limit :limit`,
      { chosen: chosen(db, selection) as never, ...range(selection), limit } as never
    )
    return (rows as { grp: string | null; session: string; at: string; value: number }[]).map(
      row => ({ group: row.grp, session: row.session, at: Number(row.at), value: row.value })
    )
  }
}
