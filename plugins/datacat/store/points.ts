import type { Knex } from '../../../core/index.ts'
import { plainArray } from './arrays.ts'

export interface SeriesRow {
  readonly id: number
  readonly name: string
  readonly kind: string
  readonly unit: string | null
  readonly points: number
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
  readonly kind: string
  readonly unit: string | null
  readonly points: string
  readonly minimum: number
  readonly maximum: number
  readonly total: number
  readonly last: number
  readonly first_at: string
  readonly last_at: string
}
const seriesOf = ({ id, points, first_at, last_at, ...row }: RawSeries): SeriesRow => ({
  ...row,
  id: Number(id),
  points: Number(points),
  firstAt: Number(first_at),
  lastAt: Number(last_at)
})

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

/** All SQL that reads series and points. */
export const pointStore = {
  async series(db: Knex, session: number): Promise<SeriesRow[]> {
    const rows = (await db('datacat_series')
      .where({ session_key: session })
      .where('points', '>', 0)
      .orderBy('id')) as RawSeries[]
    return rows.map(seriesOf)
  },

  /** For each series of `after`, at most `limit` points from the nth on. */
  async next(db: Knex, after: ReadonlyMap<number, number>, limit: number): Promise<PointRow[]> {
    const { rows } = await db.raw(
      `select p.*
      from unnest(?::bigint[], ?::bigint[]) as a(id, n)
      join datacat_series s on s.id = a.id
      cross join lateral (
        select series_id, n, ordinal, at, value, tags, extra
        from datacat_points p
        where p.series_id = s.id and p.n >= a.n and p.received_at >= s.received_at
        order by p.n
        limit ?
      ) p`,
      [plainArray([...after.keys()]), plainArray([...after.values()]), limit]
    )
    return (rows as RawPoint[]).map(pointOf)
  },

  /** The points of a session whose ordinals lie in a short stretch at its end, in order. */
  async latest(
    db: Knex,
    series: readonly SeriesRow[],
    from: number,
    until: number
  ): Promise<PointRow[]> {
    const rows = await pointStore.next(
      db,
      new Map(series.map(one => [one.id, Math.max(0, one.points - (until - from) - 1_000)])),
      until - from + 1_000
    )
    return rows
      .filter(row => row.ordinal >= from && row.ordinal < until)
      .sort((a, b) => a.ordinal - b.ordinal)
  },

  /** Points of series in the order they came, from the nth of each on, in pages; ends before the ordinal `until`. */
  async *inOrder(
    db: Knex,
    after: ReadonlyMap<number, number>,
    until: number
  ): AsyncGenerator<PointRow[]> {
    const next = new Map(after)
    const waiting = new Map<number, PointRow[]>()
    const limit = Math.max(10, Math.floor(maxHeld / Math.max(1, after.size)))
    while (next.size > 0 || waiting.size > 0) {
      const dry = new Map([...next].filter(([id]) => !waiting.has(id)))
      const found = dry.size === 0 ? [] : await pointStore.next(db, dry, limit)
      for (const point of found) {
        const buffer = waiting.get(point.series)
        if (buffer) buffer.push(point)
        else waiting.set(point.series, [point])
      }
      for (const id of dry.keys()) {
        const buffer = waiting.get(id)
        if (!buffer || buffer.length < limit) next.delete(id)
        else next.set(id, buffer.at(-1)!.n + 1)
      }
      // Whatever is older than the last point known of every unfinished series can have no point before it.
      const safe = Math.min(
        until - 1,
        ...[...next.keys()].map(id => waiting.get(id)?.at(-1)?.ordinal ?? -1)
      )
      const page = [...waiting].flatMap(([id, buffer]) => {
        const count = buffer.findIndex(point => point.ordinal > safe)
        if (count < 0) waiting.delete(id)
        else waiting.set(id, buffer.slice(count))
        return count < 0 ? buffer : buffer.slice(0, count)
      })
      if (page.length > 0) yield page.sort((a, b) => a.ordinal - b.ordinal)
      if (safe >= until - 1) return
    }
  }
}
