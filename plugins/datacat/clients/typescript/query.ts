import { timeText, type PathFilter, type SeriesQuery, type SessionFilters } from './wire.ts'

type Value = string | number | boolean | undefined
/** A query string of what is given, with its question mark. */
export function queryText(
  values: Readonly<Record<string, Value>>,
  repeated: readonly (readonly [string, string])[] = []
): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]]
  )
  const text = new URLSearchParams([...given, ...repeated] as [string, string][]).toString()
  return text && `?${text}`
}

const pathFilters = (name: string, filter: PathFilter | undefined): (readonly [string, string])[] =>
  Object.entries(filter ?? {}).flatMap(([path, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : [value]).map(
      one => [name, `${path}=${String(one)}`] as const
    )
  )

/** The query of everything that asks for sessions. */
export function filterQuery(
  filters: SessionFilters,
  more: Readonly<Record<string, Value>> = {}
): string {
  const {
    status,
    product,
    version,
    machineId,
    q,
    from,
    to,
    current,
    ever,
    contains,
    everContains
  } = filters
  return queryText(
    {
      ...more,
      status,
      product,
      version,
      machine_id: machineId,
      q,
      from: from === undefined ? from : timeText(from),
      to: to === undefined ? to : timeText(to)
    },
    [
      ...pathFilters('current', current),
      ...pathFilters('ever', ever),
      ...pathFilters('contains', contains),
      ...pathFilters('ever_contains', everContains)
    ]
  )
}

export const seriesQuery = (query: SeriesQuery): string =>
  filterQuery(query, {
    metric: query.metric,
    aggregation: query.aggregation,
    per: query.per,
    group_by: query.groupBy,
    points: query.points,
    session: query.session
  })
