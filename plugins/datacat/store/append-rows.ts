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
  /** How many samples the value stands for; null = one. */
  readonly weight: number | null
  /** One of these samples on average; null = the value itself. */
  readonly sample: number | null
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

/** The points of one series in a flush, as `datacat_append` takes them. */
export interface SeriesRow {
  readonly session: number
  readonly id: number
  count: number
  min: number
  max: number
  sum: number
  /** Of the weights, beyond one a point. */
  extraWeight: number
  isWeighted: boolean
  last: number
  lastOrdinal: number
  from: number
  to: number
}
export interface PointRow {
  readonly point: NewPoint
  readonly series: number
  readonly k: number
  readonly o: number
}
export interface EventRow {
  readonly event: NewEvent
  readonly session: number
  readonly o: number
}
/** The rows of one flush; sessions and series are numbered from 1 in the order of their lists. */
export interface Rows {
  readonly ids: readonly string[]
  readonly counts: { readonly points: readonly number[]; readonly events: readonly number[] }
  readonly series: readonly SeriesRow[]
  readonly points: readonly PointRow[]
  readonly events: readonly EventRow[]
}

// A sum that overflows would refuse the points.
const maxTotal = 1e290
const bounded = (total: number): number => Math.min(Math.max(total, -maxTotal), maxTotal)

/** Puts appends into rows; points of an unknown session, whose series have no number, are left out. */
export function rowsOf(
  appends: readonly Append[],
  numbers: ReadonlyMap<Append, readonly (number | null)[]>,
  now: number
): Rows {
  const ids = [...new Set(appends.map(append => append.sessionId))].sort()
  const indexOf = new Map(ids.map((id, index) => [id, index]))
  const counts = { points: ids.map(() => 0), events: ids.map(() => 0) }
  const series: SeriesRow[] = []
  const places = new Map<number, number>()
  const points: PointRow[] = []
  const events: EventRow[] = []
  for (const append of appends) {
    const session = indexOf.get(append.sessionId)
    if (session === undefined) continue
    const own = numbers.get(append)
    append.points.forEach((point, index) => {
      const id = own?.[index]
      if (id === undefined || id === null) return
      const place = places.get(id) ?? series.push(emptySeries(session + 1, id, point, now))
      places.set(id, place)
      const o = takeNext(counts.points, session)
      points.push({ point, series: place, k: addPoint(series[place - 1], point, o, now), o })
    })
    for (const event of append.events)
      events.push({ event, session: session + 1, o: takeNext(counts.events, session) })
  }
  return { ids, counts, series, points, events }
}

function takeNext(counts: number[], index: number): number {
  const next = counts[index] ?? 0
  counts[index] = next + 1
  return next
}

const sampleOf = ({ sample, value }: NewPoint): number => sample ?? value

function emptySeries(session: number, id: number, point: NewPoint, now: number): SeriesRow {
  const [value, at] = [sampleOf(point), point.at ?? now]
  return {
    session,
    id,
    count: 0,
    min: value,
    max: value,
    sum: 0,
    extraWeight: 0,
    isWeighted: false,
    last: value,
    lastOrdinal: 0,
    from: at,
    to: at
  }
}

/** Adds a point to what is known of its series; answers its place in it. */
function addPoint(series: SeriesRow | undefined, point: NewPoint, o: number, now: number): number {
  if (!series) throw new Error('a point has no series')
  const [value, weight, at] = [sampleOf(point), point.weight ?? 1, point.at ?? now]
  series.count += 1
  series.sum += bounded(bounded(value) * weight)
  series.extraWeight += weight - 1
  if (point.weight !== null) series.isWeighted = true
  series.last = value
  series.lastOrdinal = o
  if (value < series.min) series.min = value
  if (value > series.max) series.max = value
  if (at < series.from) series.from = at
  if (at > series.to) series.to = at
  return series.count - 1
}
