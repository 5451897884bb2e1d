import { Type } from '../../core/index.ts'

const numberOrNull = Type.Union([Type.Number(), Type.Null()])

/** Figures of a series, null when it has no value. */
export const Summary = {
  buckets: Type.Integer(),
  without_data: Type.Integer(),
  min: numberOrNull,
  median: numberOrNull,
  mean: numberOrNull,
  max: numberOrNull,
  sum: numberOrNull,
  last: numberOrNull
}

/** The figures of a series' buckets, those without data left out. */
export function summaryOf(buckets: readonly (number | null)[]) {
  const values = buckets.filter(value => value !== null)
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  const sum = values.reduce((all, value) => all + value, 0)
  const some = values.length > 0
  return {
    buckets: buckets.length,
    without_data: buckets.length - values.length,
    min: sorted[0] ?? null,
    median: low === undefined || high === undefined ? null : rounded((low + high) / 2),
    mean: some ? rounded(sum / values.length) : null,
    max: sorted.at(-1) ?? null,
    sum: some ? rounded(sum) : null,
    last: values.at(-1) ?? null
  }
}

/** Six significant digits: no more are read, and sums have rounding errors behind them. */
const rounded = (value: number): number => Number(value.toPrecision(6))
