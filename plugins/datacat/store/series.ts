import { hash } from 'node:crypto'
import type { Knex } from '../../../core/index.ts'
import { maxSeries, maxTagSets } from '../wire/limits.ts'
import type { Append, NewPoint } from './append-rows.ts'
import { plainArray, textArray } from './arrays.ts'

/** The numbers of the series of some appends, point by point; null where there is no such session. */
export interface Numbered {
  readonly ids: ReadonlyMap<Append, readonly (number | null)[]>
  /** Those that would bring more series than a session or a metric may have. */
  readonly refused: ReadonlySet<Append>
}

/** One metric of one session with one unit and one set of tags. */
interface SeriesName {
  readonly key: string
  readonly sessionId: string
  readonly name: string
  readonly kind: string
  readonly unit: string | null
  readonly tags: readonly string[]
  /** Of the rest: the metric has so many sets of tags that these are not told apart. */
  readonly isMixed: boolean
}
interface Found {
  readonly series: SeriesName
  readonly session: number | null
  readonly id: number | null
}
const refused = 'refused'

const maxRemembered = 50_000

/** Finds or makes the series that points belong to, and remembers their numbers. */
export function createSeriesNumbers() {
  const numbers = new Map<string, number>()
  return {
    forget: () => numbers.clear(),
    async number(db: Knex, appends: readonly Append[], now: number): Promise<Numbered> {
      if (numbers.size > maxRemembered) numbers.clear()
      const missing = new Map<string, SeriesName>()
      for (const { sessionId, points } of appends)
        for (const point of points) {
          const key = keyOf(sessionId, point)
          if (!numbers.has(key) && !missing.has(key))
            missing.set(key, nameOf(key, sessionId, point))
        }
      const made = missing.size === 0 ? new Map() : await findOrMake(db, [...missing.values()], now)
      for (const [key, id] of made) if (id !== refused) numbers.set(key, id)
      const ids = new Map<Append, (number | null)[]>()
      const isRefused = new Set<Append>()
      for (const append of appends) {
        const keys = append.points.map(point => keyOf(append.sessionId, point))
        if (keys.some(key => made.get(key) === refused)) isRefused.add(append)
        ids.set(
          append,
          keys.map(key => numbers.get(key) ?? null)
        )
      }
      return { ids, refused: isRefused }
    }
  }
}
const keyOf = (sessionId: string, { name, unit, tags }: NewPoint): string =>
  `${sessionId}\n${unit ?? ''}\n${tags ?? ''}\n${name}`

const nameOf = (key: string, sessionId: string, point: NewPoint): SeriesName => ({
  key,
  sessionId,
  name: point.name,
  kind: point.kind,
  unit: point.unit,
  tags: point.tags === null ? [] : [...new Set(JSON.parse(point.tags) as string[])].sort(),
  isMixed: false
})

/** What tells the series of one metric apart, short enough for an index. */
const labelsOf = ({ unit, tags, isMixed }: SeriesName): string =>
  hash('md5', isMixed ? `${unit ?? ''}|mixed` : JSON.stringify([unit, ...tags]))

/** The numbers of series by their keys; what belongs to an unknown session is left out. */
async function findOrMake(
  db: Knex,
  series: readonly SeriesName[],
  now: number
): Promise<Map<string, number | typeof refused>> {
  const found = await find(db, series)
  const unmade = found.filter(one => one.session !== null && one.id === null)
  const results = new Map<string, number | typeof refused>()
  if (unmade.length > 0) {
    const { allowed, over } = await decide(db, unmade)
    await insert(db, allowed, now)
    for (const one of await find(db, allowed)) found.push(one)
    for (const one of over) results.set(one.key, refused)
  }
  for (const { series: one, id } of found) if (id !== null) results.set(one.key, id)
  return results
}

const findSql = `
  select s.key, r.id
  from unnest(?::uuid[], ?::text[], ?::uuid[]) with ordinality as a(session, name, labels, i)
  left join datacat_sessions s on s.id = a.session
  left join datacat_series r
    on r.session_key = s.key and r.name = a.name and r.labels = a.labels
  order by a.i`

async function find(db: Knex, series: readonly SeriesName[]): Promise<Found[]> {
  const { rows } = await db.raw<{ rows: { key: string | null; id: string | null }[] }>(findSql, [
    plainArray(series.map(one => one.sessionId)),
    textArray(series.map(one => one.name)),
    plainArray(series.map(labelsOf))
  ])
  const number = (text: string | null | undefined): number | null =>
    text === null || text === undefined ? null : Number(text)
  return series.map((one, index) => ({
    series: one,
    session: number(rows[index]?.key),
    id: number(rows[index]?.id)
  }))
}

/** Which new series there may be; tagged ones of a metric that has many go into one of the rest. */
async function decide(
  db: Knex,
  unmade: readonly Found[]
): Promise<{ allowed: SeriesName[]; over: SeriesName[] }> {
  const sessions = await countSeries(db, unmade)
  const [allowed, over] = [[] as SeriesName[], [] as SeriesName[]]
  const rests = new Set<string>()
  for (const { series, session } of unmade) {
    const count = sessions.get(session)
    const own = count?.names.get(series.name) ?? 0
    const isFull = count === undefined || count.all >= maxSeries
    const isMixed = series.tags.length > 0 && (own >= maxTagSets || (isFull && own > 0))
    // The rest is one series a unit; units without end are no units.
    const isOver = isMixed ? own >= 2 * maxTagSets : isFull || own >= maxTagSets
    if (!count || isOver) {
      over.push(series)
      continue
    }
    allowed.push({ ...series, isMixed })
    // Many points are of the rest, which is made once.
    const rest = `${session} ${series.unit ?? ''} ${series.name}`
    if (isMixed && rests.has(rest)) continue
    if (isMixed) rests.add(rest)
    count.names.set(series.name, own + 1)
    count.all += 1
  }
  return { allowed, over }
}

const countSql = `
  select session_key, name, count(*)::int as count
  from datacat_series
  where session_key = any(?::bigint[])
  group by grouping sets ((session_key), (session_key, name))
  having name is null or name = any(?::text[])`

async function countSeries(db: Knex, unmade: readonly Found[]) {
  const keys = [...new Set(unmade.map(one => one.session))]
  const names = [...new Set(unmade.map(one => one.series.name))]
  const { rows } = await db.raw<{
    rows: { session_key: string; name: string | null; count: number }[]
  }>(countSql, [plainArray(keys), textArray(names)])
  const counts = new Map<number | null, { all: number; readonly names: Map<string, number> }>(
    keys.map(key => [key, { all: 0, names: new Map() }])
  )
  for (const { session_key, name, count } of rows) {
    const session = counts.get(Number(session_key))
    if (session && name === null) session.all = count
    else if (session && name !== null) session.names.set(name, count)
  }
  return counts
}

const insertSql = `
  insert into datacat_series (session_key, name, received_at, kind, unit, labels, tags, mixed)
  select s.key, a.name, ?, a.kind, a.unit, a.labels,
    coalesce(array(select jsonb_array_elements_text(a.tags::jsonb)), '{}'),
    a.mixed
  from unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::uuid[], ?::text[], ?::boolean[])
    as a(session, name, kind, unit, labels, tags, mixed)
  join datacat_sessions s on s.id = a.session
  order by s.key, a.name, a.labels
  on conflict (session_key, name, labels) do nothing`

async function insert(db: Knex, series: readonly SeriesName[], now: number): Promise<void> {
  if (series.length === 0) return
  await db.raw(insertSql, [
    now,
    plainArray(series.map(one => one.sessionId)),
    textArray(series.map(one => one.name)),
    textArray(series.map(one => one.kind)),
    textArray(series.map(one => one.unit)),
    plainArray(series.map(labelsOf)),
    textArray(series.map(one => JSON.stringify(one.isMixed ? [] : one.tags))),
    plainArray(series.map(one => one.isMixed))
  ])
}
