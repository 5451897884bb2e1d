import { refuse } from '../routes/api-error.ts'

/** One row that can be counted: when it was, and its values by facet (`service`, `@http.status_code`). */
export interface Countable {
  readonly at: number
  value(facet: string): unknown
}
/** One number to compute; `interval` in ms makes it a series. */
export interface Compute {
  readonly aggregation: string
  readonly metric: string | undefined
  readonly interval: number | undefined
}
/** One facet to group by, the largest groups first unless ascending. */
export interface GroupBy {
  readonly facet: string
  readonly limit: number
  readonly descending: boolean
}
/** One group and its numbers. */
export interface Bucket {
  readonly by: Record<string, string>
  readonly computes: Record<string, number | { time: string; value: number }[]>
}

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const aggregations = new Set([
  'count',
  'cardinality',
  'sum',
  'min',
  'max',
  'avg',
  'median',
  'pc50',
  'pc75',
  'pc90',
  'pc95',
  'pc98',
  'pc99'
])

/** Reads the `compute` list of an aggregation; the names of its results are c0, c1, … */
export function readComputes(value: unknown): Compute[] {
  if (value === undefined) return [{ aggregation: 'count', metric: undefined, interval: undefined }]
  if (!Array.isArray(value)) throw refuse(400, "Invalid value for 'compute'")
  return value.map((one: Record<string, unknown>) => {
    const { aggregation, metric, interval, type } = one
    if (typeof aggregation !== 'string' || !aggregations.has(aggregation))
      throw refuse(400, `Invalid aggregation '${String(aggregation)}'`)
    if (aggregation !== 'count' && typeof metric !== 'string')
      throw refuse(400, `aggregation '${aggregation}' needs a metric`)
    return {
      aggregation,
      metric: metric as string | undefined,
      interval: type === 'timeseries' ? milliseconds(interval) : undefined
    }
  })
}

/** Reads the `group_by` list. */
export function readGroups(value: unknown): GroupBy[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse(400, "Invalid value for 'group_by'")
  return value.map((one: { facet?: unknown; limit?: unknown; sort?: { order?: unknown } }) => {
    if (typeof one.facet !== 'string') throw refuse(400, "group_by needs 'facet'")
    return {
      facet: one.facet,
      limit: Number(one.limit ?? 10) || 10,
      descending: one.sort?.order !== 'asc'
    }
  })
}

function milliseconds(interval: unknown): number {
  const found = /^(\d+)([smhd])$/.exec(String(interval ?? '5m'))
  if (!found) throw refuse(400, `Invalid interval '${String(interval)}'`)
  return Number(found[1]) * (unitMs[found[2] ?? ''] ?? 60_000)
}

/** Counts rows into buckets, the largest group first. */
export function aggregate(
  rows: readonly Countable[],
  computes: readonly Compute[],
  groups: readonly GroupBy[]
): Bucket[] {
  const buckets = split(rows, groups, {})
  return buckets.map(({ by, rows: own }) => ({
    by,
    computes: Object.fromEntries(
      computes.map((compute, i) => [
        `c${i}`,
        compute.interval === undefined
          ? reduce(own, compute)
          : series(own, compute, compute.interval)
      ])
    )
  }))
}

function split(
  rows: readonly Countable[],
  groups: readonly GroupBy[],
  by: Record<string, string>
): { by: Record<string, string>; rows: readonly Countable[] }[] {
  const [group, ...rest] = groups
  if (!group) return rows.length === 0 ? [] : [{ by, rows }]
  const found = Map.groupBy(
    rows.filter(row => row.value(group.facet) !== undefined),
    row => String(row.value(group.facet) as string)
  )
  return [...found]
    .toSorted(
      (a, b) =>
        (group.descending ? b[1].length - a[1].length : a[1].length - b[1].length) ||
        (a[0] < b[0] ? -1 : 1)
    )
    .slice(0, group.limit)
    .flatMap(([value, own]) => split(own, rest, { ...by, [group.facet]: value }))
}

function series(
  rows: readonly Countable[],
  compute: Compute,
  interval: number
): { time: string; value: number }[] {
  return [...Map.groupBy(rows, row => Math.floor(row.at / interval) * interval)]
    .toSorted((a, b) => a[0] - b[0])
    .map(([at, own]) => ({ time: new Date(at).toISOString(), value: reduce(own, compute) }))
}

function reduce(rows: readonly Countable[], { aggregation, metric }: Compute): number {
  if (aggregation === 'count') return rows.length
  const values = rows.flatMap(row => {
    const value = row.value(metric ?? '')
    return value === undefined ? [] : [value]
  })
  if (aggregation === 'cardinality') return new Set(values.map(String)).size
  const numbers = values
    .map(Number)
    .filter(value => !Number.isNaN(value))
    .toSorted((a, b) => a - b)
  if (numbers.length === 0) return 0
  if (aggregation === 'sum') return numbers.reduce((a, b) => a + b, 0)
  if (aggregation === 'avg') return numbers.reduce((a, b) => a + b, 0) / numbers.length
  const share = { min: 0, max: 1, median: 0.5 }[aggregation] ?? Number(aggregation.slice(2)) / 100
  return numbers[Math.min(numbers.length - 1, Math.floor(share * numbers.length))] ?? 0
}
