import type { Knex } from '../../../core/index.ts'
import { plainArray } from './arrays.ts'

/** One metric of a session with one unit and one set of tags. */
export interface SeriesRow {
  readonly id: number
  readonly name: string
  readonly points: number
  /** Of its last point within the session; null where it is not known. */
  readonly lastOrdinal: number | null
}
/** One metric of a session in one unit; times are epoch milliseconds, figures are of samples. */
export interface MetricRow {
  readonly name: string
  readonly kind: string
  readonly unit: string | null
  readonly points: number
  /** How many samples the points stand for. */
  readonly weight: number
  readonly minimum: number
  readonly maximum: number
  readonly total: number
  readonly last: number
  readonly firstAt: number
  readonly lastAt: number
}
/**
 * One stored point; `n` counts within its series, `ordinal` within its session; `tags` and `extra`
 * are JSON text.
 */
export interface PointRow {
  readonly series: number
  readonly n: number
  readonly ordinal: number
  readonly at: number
  readonly value: number
  readonly tags: string | null
  readonly extra: string | null
}

interface RawSeries {
  readonly id: string
  readonly name: string
  readonly points: string
  readonly last_ordinal: string | null
}
interface RawMetric {
  readonly name: string
  readonly kind: string
  readonly unit: string | null
  readonly points: string
  readonly weight: number
  readonly minimum: number
  readonly maximum: number
  readonly total: number
  readonly last: number
  readonly first_at: string
  readonly last_at: string
}
interface RawPoint {
  series_id: string
  n: string
  ordinal: string
  at: string
  value: number
  tags: string | null
  extra: string | null
}
const pointOf = (row: RawPoint): PointRow => ({
  series: Number(row.series_id),
  n: Number(row.n),
  ordinal: Number(row.ordinal),
  at: Number(row.at),
  value: row.value,
  tags: row.tags,
  extra: row.extra
})

const maxHeld = 20_000

/** Finds what belongs to the series of a point; throws for a series that was not given. */
export function bySeries<T>(
  series: readonly SeriesRow[],
  of: (one: SeriesRow) => T
): (point: PointRow) => T {
  const found = new Map(series.map(one => [one.id, { of: of(one) }]))
  return point => {
    const one = found.get(point.series)
    if (!one) throw new Error(`a point of series ${point.series} was read without its series`)
    return one.of
  }
}

const metricsSql = `
  select name,
    unit,
    (array_agg(kind order by id))[1] as kind,
    sum(points) as points,
    sum(points) + sum(extra_weight) as weight,
    min(minimum) as minimum,
    max(maximum) as maximum,
    sum(total) as total,
    (array_agg(last order by last_at desc, last_ordinal desc nulls last))[1] as last,
    min(first_at) as first_at,
    max(last_at) as last_at
  from datacat_series
  where session_key = ? and points > 0
  group by name, unit
  order by min(id)`
const nextSql = `
  select p.*
  from unnest(?::bigint[], ?::bigint[]) as a(id, n)
  join datacat_series s on s.id = a.id
  cross join lateral (
    select series_id, n, ordinal, at, value, tags, extra
    from datacat_points p
    where p.series_id = s.id and p.n >= a.n and p.received_at >= s.received_at
    order by p.n
    limit ?
  ) p`
// Ordinals grow with n, so that each step halves what is left; what retention took is before it.
const startsSql = `
  with recursive search as (
    select s.id, s.received_at, 0::bigint as low, s.points as high
    from datacat_series s
    where s.id = any(:ids::bigint[])
    union all
    select s.id,
      s.received_at,
      case when coalesce(p.ordinal, -1) < :ordinal then (s.low + s.high) / 2 + 1 else s.low end,
      case when coalesce(p.ordinal, -1) < :ordinal then s.high else (s.low + s.high) / 2 end
    from search s
    left join lateral (
      select ordinal
      from datacat_points p
      where p.series_id = s.id
        and p.n = (s.low + s.high) / 2
        and p.received_at >= s.received_at
      limit 1
    ) p on true
    where s.low < s.high
  )
  select id, low as n
  from search
  where low >= high`

/** All SQL that reads series and points. */
export const pointStore = {
  async series(db: Knex, session: number, name?: string): Promise<SeriesRow[]> {
    const rows = (await db('datacat_series')
      .where({ session_key: session, ...(name === undefined ? {} : { name }) })
      .where('points', '>', 0)
      .orderBy('id')
      .select('id', 'name', 'points', 'last_ordinal')) as RawSeries[]
    return rows.map(row => ({
      id: Number(row.id),
      name: row.name,
      points: Number(row.points),
      lastOrdinal: row.last_ordinal === null ? null : Number(row.last_ordinal)
    }))
  },

  /** What the metrics of a session are, in the order they came. */
  async metrics(db: Knex, session: number): Promise<MetricRow[]> {
    const { rows } = await db.raw<{ rows: RawMetric[] }>(metricsSql, [session])
    return rows.map(({ points, first_at, last_at, ...row }) => ({
      ...row,
      points: Number(points),
      firstAt: Number(first_at),
      lastAt: Number(last_at)
    }))
  },

  /** For each series of `after`, at most `limit` points from the nth on. */
  async next(db: Knex, after: ReadonlyMap<number, number>, limit: number): Promise<PointRow[]> {
    const { rows } = await db.raw<{ rows: RawPoint[] }>(nextSql, [
      plainArray([...after.keys()]),
      plainArray([...after.values()]),
      limit
    ])
    return rows.map(pointOf)
  },

  /** The place in each series of its first point from an ordinal on. */
  async starts(
    db: Knex,
    series: readonly SeriesRow[],
    ordinal: number
  ): Promise<Map<number, number>> {
    const wanted = series.filter(one => one.lastOrdinal === null || one.lastOrdinal >= ordinal)
    if (wanted.length === 0) return new Map()
    const ids = plainArray(wanted.map(one => one.id))
    const { rows } = await db.raw<{ rows: { id: string; n: string }[] }>(startsSql, {
      ids,
      ordinal
    })
    return new Map(rows.map(({ id, n }) => [Number(id), Number(n)]))
  },

  /** The points of series from an ordinal to before another, in order, at most `limit`. */
  async between(
    db: Knex,
    series: readonly SeriesRow[],
    from: number,
    until: number,
    limit: number
  ): Promise<PointRow[]> {
    const found: PointRow[] = []
    const starts = await pointStore.starts(db, series, from)
    for await (const page of pointStore.inOrder(db, starts, until, limit)) {
      found.push(...page.slice(0, limit - found.length))
      if (found.length === limit) return found
    }
    return found
  },

  /**
   * Points of series in the order they came, from the nth of each on, in pages; ends before the
   * ordinal `until`. Of each series at most `maxAtOnce` are held.
   */
  async *inOrder(
    db: Knex,
    after: ReadonlyMap<number, number>,
    until: number,
    maxAtOnce = maxHeld
  ): AsyncGenerator<PointRow[]> {
    const next = new Map(after)
    const waiting = new Map<number, PointRow[]>()
    const share = Math.max(10, Math.floor(maxHeld / Math.max(1, after.size)))
    const limit = Math.min(share, maxAtOnce)
    while (next.size > 0 || waiting.size > 0) {
      const dry = new Map([...next].filter(([id]) => !waiting.has(id)))
      const found = dry.size === 0 ? [] : await pointStore.next(db, dry, limit)
      for (const point of found) {
        const buffer = waiting.get(point.series)
        if (buffer) buffer.push(point)
        else waiting.set(point.series, [point])
      }
      for (const id of dry.keys()) {
        const last = waiting.get(id)
        const end = last?.at(-1)
        if (!last || !end || last.length < limit) next.delete(id)
        else next.set(id, end.n + 1)
      }
      const safe = Math.min(until - 1, safeOrdinal(next, waiting))
      const page = takeUpTo(waiting, safe)
      if (page.length > 0) yield page
      if (safe >= until - 1) return
    }
  }
}

/** What is older than the last point known of every unfinished series can have no point before it. */
function safeOrdinal(
  next: ReadonlyMap<number, number>,
  waiting: ReadonlyMap<number, readonly PointRow[]>
): number {
  let safe = Infinity
  for (const id of next.keys()) safe = Math.min(safe, waiting.get(id)?.at(-1)?.ordinal ?? -1)
  return safe
}

function takeUpTo(waiting: Map<number, PointRow[]>, ordinal: number): PointRow[] {
  const page = [...waiting].flatMap(([id, buffer]) => {
    const count = buffer.findIndex(point => point.ordinal > ordinal)
    if (count < 0) waiting.delete(id)
    else waiting.set(id, buffer.slice(count))
    return count < 0 ? buffer : buffer.slice(0, count)
  })
  return page.sort((a, b) => a.ordinal - b.ordinal)
}
