import { median } from './statistics.ts'

/**
 * How far series went from the middle of what was before, of their own accord: the farthest that the level of any run
 * of `length` buckets lay from the median of the `before` buckets in front of it, over all windows. NaN without one
 * that is long enough.
 */
export function usualWander(
  windows: readonly (readonly number[])[],
  { length, before }: { readonly length: number; readonly before: number }
): number {
  let farthest = Number.NaN
  for (const values of windows)
    for (let start = before; start + length <= values.length; start += 1) {
      const level = median(values.slice(start, start + length))
      const distance = Math.abs(level - median(values.slice(start - before, start)))
      if (!(distance <= farthest)) farthest = distance
    }
  return farthest
}
