import { errorCode, type Knex } from '../../../core/index.ts'
import { plainArray, textArray } from './arrays.ts'

/**
 * One metric value as it is stored; `at` null means the moment of the commit. `tags` and `extra`
 * are JSON text.
 */
export interface NewPoint {
  readonly name: string
  readonly value: number
  readonly at: number | null
  readonly tags: string | null
  readonly kind: string
  readonly unit: string | null
  readonly extra: string | null
}
/** One event as it is stored; `data` and `extra` are JSON text. */
export interface NewEvent {
  readonly name: string
  readonly level: string | null
  readonly at: number | null
  readonly data: string
  readonly extra: string | null
}
export interface Append {
  readonly sessionId: string
  readonly points: readonly NewPoint[]
  readonly events: readonly NewEvent[]
}

/** The rows of one flush, column by column, as `datacat_append` takes them. */
interface Series {
  readonly session: number
  readonly name: string
  readonly kind: string
  readonly unit: string | null
  id: number
  count: number
  min: number
  max: number
  sum: number
  last: number
  from: number
  to: number
}

/** The error of `datacat_append` after a session was deleted and opened again; worth another try. */
export const seriesMoved = 'RA001'

const appendSql = `
  select datacat_append(
    ?, ?::uuid[], ?::int[], ?::int[],
    ?::bigint[], ?::int[], ?::int[], ?::float8[], ?::float8[], ?::float8[], ?::float8[],
    ?::bigint[], ?::bigint[],
    ?::int[], ?::int[], ?::int[], ?::bigint[], ?::float8[], ?::text[], ?::text[],
    ?::int[], ?::int[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[]
  ) as known`
const insertSeries = `
  insert into datacat_series (session_key, name, received_at, kind, unit)
  select s.key, a.name, ?, a.kind, a.unit
  from unnest(?::uuid[], ?::text[], ?::text[], ?::text[]) as a(session, name, kind, unit)
  join datacat_sessions s on s.id = a.session
  order by s.key, a.name
  on conflict (session_key, name) do nothing`
const numbersOfSeries = `
  select a.i, r.id
  from unnest(?::uuid[], ?::text[]) with ordinality as a(session, name, i)
  join datacat_sessions s on s.id = a.session
  join datacat_series r on r.session_key = s.key and r.name = a.name`
const maxRemembered = 50_000

/**
 * Writes points and events of many sessions in one transaction (or in the caller's) and answers
 * which of the sessions exist; `now` is epoch milliseconds.
 */
export type AppendStore = (
  db: Knex,
  appends: readonly Append[],
  now: number
) => Promise<ReadonlySet<string>>

/** Such a store; it remembers the numbers of series it has met. */
export function createAppendStore(): AppendStore {
  const numbers = new Map<string, number>()
  const keyOf = (sessionId: string, name: string): string => `${sessionId} ${name}`

  async function number(
    db: Knex,
    ids: readonly string[],
    series: readonly Series[],
    now: number
  ): Promise<void> {
    const missing: Series[] = []
    for (const one of series) {
      const id = numbers.get(keyOf(ids[one.session]!, one.name))
      if (id === undefined) missing.push(one)
      else one.id = id
    }
    if (missing.length === 0) return
    if (numbers.size > maxRemembered) numbers.clear()
    const asked = [
      plainArray(missing.map(one => ids[one.session]!)),
      textArray(missing.map(one => one.name))
    ]
    await db.raw(insertSeries, [
      now,
      ...asked,
      textArray(missing.map(one => one.kind)),
      textArray(missing.map(one => one.unit))
    ])
    const { rows } = await db.raw(numbersOfSeries, asked)
    for (const { i, id } of rows as { i: string; id: string }[]) {
      const one = missing[Number(i) - 1]!
      one.id = Number(id)
      numbers.set(keyOf(ids[one.session]!, one.name), one.id)
    }
  }

  async function query(
    db: Knex,
    values: readonly (string | number | null)[]
  ): Promise<{ rows: { known: boolean[] }[] }> {
    // A named statement is parsed once a connection, which an unnamed one of this length is at every flush.
    return db
      .raw(appendSql, [...values])
      .options({ name: 'datacat_append' })
      .catch((error: unknown) => {
        if (errorCode(error) === seriesMoved) numbers.clear()
        throw error
      })
  }

  return async (db, appends, now) => {
    const ids = [...new Set(appends.map(append => append.sessionId))].sort()
    const { series, points, events, counts } = columns(ids, appends, now)
    if (series.length > 0) await number(db, ids, series, now)
    const {
      rows: [row]
    } = await query(db, [
      now,
      plainArray(ids),
      plainArray(counts.points),
      plainArray(counts.events),
      ...seriesColumns(series),
      ...pointColumns(points),
      ...eventColumns(events)
    ])
    return new Set(ids.filter((_, index) => row?.known[index]))
  }
}

interface PointRow {
  readonly point: NewPoint
  readonly series: number
  readonly k: number
  readonly o: number
}
interface EventRow {
  readonly event: NewEvent
  readonly session: number
  readonly o: number
}

function columns(ids: readonly string[], appends: readonly Append[], now: number) {
  const indexOf = new Map(ids.map((id, index) => [id, index]))
  const counts = { points: ids.map(() => 0), events: ids.map(() => 0) }
  const series: Series[] = []
  const seriesOf = ids.map(() => new Map<string, number>())
  const points: PointRow[] = []
  const events: EventRow[] = []
  for (const append of appends) {
    const session = indexOf.get(append.sessionId)!
    const known = seriesOf[session]!
    for (const point of append.points) {
      let index = known.get(point.name)
      if (index === undefined) {
        index =
          series.push({
            session,
            name: point.name,
            kind: point.kind,
            unit: point.unit,
            id: -1,
            count: 0,
            min: point.value,
            max: point.value,
            sum: 0,
            last: 0,
            from: point.at ?? now,
            to: point.at ?? now
          }) - 1
        known.set(point.name, index)
      }
      const one = series[index]!
      points.push({ point, series: index + 1, k: one.count, o: counts.points[session]! })
      counts.points[session]! += 1
      addPoint(one, point.value, point.at ?? now)
    }
    for (const event of append.events) {
      events.push({ event, session: session + 1, o: counts.events[session]! })
      counts.events[session]! += 1
    }
  }
  return { series, points, events, counts }
}

function addPoint(series: Series, value: number, at: number): void {
  series.count += 1
  series.sum += Math.min(Math.max(value, -1e290), 1e290) // a sum that overflows would refuse the point
  series.last = value
  if (value < series.min) series.min = value
  if (value > series.max) series.max = value
  if (at < series.from) series.from = at
  if (at > series.to) series.to = at
}

const none = (count: number): null[] => Array.from({ length: count }, () => null)

function seriesColumns(series: readonly Series[]): (string | null)[] {
  if (series.length === 0) return none(9)
  const column = (pick: (one: Series) => number): string => plainArray(series.map(pick))
  return [
    column(one => one.id),
    column(one => one.session + 1),
    column(one => one.count),
    column(one => one.min),
    column(one => one.max),
    column(one => one.sum),
    column(one => one.last),
    column(one => one.from),
    column(one => one.to)
  ]
}

function pointColumns(points: readonly PointRow[]): (string | null)[] {
  if (points.length === 0) return none(7)
  const at = points.every(({ point }) => point.at === null)
    ? null
    : plainArray(points.map(({ point }) => point.at))
  return [
    plainArray(points.map(row => row.series)),
    plainArray(points.map(row => row.k)),
    plainArray(points.map(row => row.o)),
    at,
    plainArray(points.map(({ point }) => (Object.is(point.value, -0) ? '-0' : point.value))),
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
