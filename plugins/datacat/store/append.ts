import { errorCode, type Knex } from '../../../core/index.ts'
import {
  rowsOf,
  type Append,
  type EventRow,
  type PointRow,
  type Rows,
  type SeriesRow
} from './append-rows.ts'
import { plainArray, textArray } from './arrays.ts'
import { createSeriesNumbers, type Numbered } from './series.ts'

/** The error of `datacat_append` after a session was deleted and opened again; worth another try. */
export const seriesMoved = 'RA001'

const appendSql = `
  select datacat_append(
    ?, ?::uuid[], ?::int[], ?::int[],
    ?::bigint[], ?::int[], ?::int[], ?::float8[], ?::float8[], ?::float8[],
    ?::float8[], ?::boolean[], ?::float8[], ?::int[], ?::bigint[], ?::bigint[],
    ?::int[], ?::int[], ?::int[], ?::bigint[], ?::float8[], ?::float8[], ?::float8[],
    ?::text[], ?::text[],
    ?::int[], ?::int[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[]
  ) as known`

/** Writes points and events of many sessions; remembers the numbers of series it has met. */
export function createAppendStore() {
  const numbers = createSeriesNumbers()
  return {
    /** Finds or makes the series of points before they are written; nothing else is. */
    number: (db: Knex, appends: readonly Append[], now: number): Promise<Numbered> =>
      numbers.number(db, appends, now),
    /**
     * Writes all of it in one transaction (or in the caller's) and answers which of the sessions
     * exist; `now` is epoch milliseconds.
     */
    async write(
      db: Knex,
      appends: readonly Append[],
      ids: Numbered['ids'],
      now: number
    ): Promise<ReadonlySet<string>> {
      const rows = rowsOf(appends, ids, now)
      const known = await send(db, rows, now).catch((error: unknown) => {
        if (errorCode(error) === seriesMoved) numbers.forget()
        throw error
      })
      return new Set(rows.ids.filter((_, index) => known[index]))
    }
  }
}
export type AppendStore = ReturnType<typeof createAppendStore>

async function send(
  db: Knex,
  { ids, counts, series, points, events }: Rows,
  now: number
): Promise<readonly boolean[]> {
  const values = [
    now,
    plainArray(ids),
    plainArray(counts.points),
    plainArray(counts.events),
    ...seriesColumns(series),
    ...pointColumns(points),
    ...eventColumns(events)
  ]
  // A named statement is parsed once a connection, which an unnamed one of this length is at every flush.
  const { rows } = (await db.raw(appendSql, values).options({ name: 'datacat_append' })) as {
    rows: { known: boolean[] }[]
  }
  return rows[0]?.known ?? []
}

const none = (count: number): null[] => Array.from({ length: count }, () => null)
const number = (value: number): number | string => (Object.is(value, -0) ? '-0' : value)

function seriesColumns(series: readonly SeriesRow[]): (string | null)[] {
  if (series.length === 0) return none(12)
  const column = (pick: (one: SeriesRow) => number): string => plainArray(series.map(pick))
  const isWeighted = series.some(one => one.isWeighted)
  return [
    column(one => one.id),
    column(one => one.session),
    column(one => one.count),
    column(one => one.min),
    column(one => one.max),
    column(one => one.sum),
    isWeighted ? column(one => one.extraWeight) : null,
    isWeighted ? plainArray(series.map(one => one.isWeighted)) : null,
    column(one => one.last),
    column(one => one.lastOrdinal),
    column(one => one.from),
    column(one => one.to)
  ]
}

function pointColumns(points: readonly PointRow[]): (string | null)[] {
  if (points.length === 0) return none(9)
  /** Null when no point has one, which costs nothing to read. */
  const rare = (pick: (row: PointRow) => number | null): string | null => {
    const values = points.map(pick)
    return values.every(value => value === null) ? null : plainArray(values)
  }
  return [
    plainArray(points.map(row => row.series)),
    plainArray(points.map(row => row.k)),
    plainArray(points.map(row => row.o)),
    rare(({ point }) => point.at),
    plainArray(points.map(({ point }) => number(point.value))),
    rare(({ point }) => point.sample),
    rare(({ point }) => point.weight),
    textArray(points.map(({ point }) => point.tags)),
    textArray(points.map(({ point }) => point.extra))
  ]
}

function eventColumns(events: readonly EventRow[]): (string | null)[] {
  if (events.length === 0) return none(7)
  const at = events.every(({ event }) => event.at === null)
    ? null
    : plainArray(events.map(({ event }) => event.at))
  return [
    plainArray(events.map(row => row.session)),
    plainArray(events.map(row => row.o)),
    at,
    textArray(events.map(({ event }) => event.name)),
    textArray(events.map(({ event }) => event.level)),
    textArray(events.map(({ event }) => event.data)),
    textArray(events.map(({ event }) => event.extra))
  ]
}
