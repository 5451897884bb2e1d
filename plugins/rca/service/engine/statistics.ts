/** The sum of the figures; 0 of none. */
export const sum = (figures: readonly number[]): number =>
  figures.reduce((total, figure) => total + figure, 0)

/** The middle of the figures, NaN of none; what one wild value cannot move. */
export function median(figures: readonly number[]): number {
  const sorted = Float64Array.from(figures).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Turns a median absolute deviation into the standard deviation it stands for under a normal law. */
const normalConsistency = 1.4826

/** How much neighbouring buckets of a series differ by chance, in its unit; 0 of fewer than three values. */
export function stepNoise(values: readonly (number | null)[]): number {
  const steps = changes(values)
  return steps.length < 2
    ? 0
    : (normalConsistency * median(steps.map(step => Math.abs(step)))) / Math.SQRT2
}

/** Differences of neighbouring values; a pair with a hole is left out. */
function changes(values: readonly (number | null)[]): number[] {
  const steps: number[] = []
  for (let index = 1; index < values.length; index += 1) {
    const before = values[index - 1]
    const now = values[index]
    if (before != null && now != null) steps.push(now - before)
  }
  return steps
}

/**
 * Pearson's correlation of two series' steps, -1 to 1: whether they move together, whatever their
 * levels and trends.
 */
export function coMovement(
  a: readonly (number | null)[],
  b: readonly (number | null)[]
): { readonly correlation: number; readonly steps: number } {
  const pairs: [number, number][] = []
  for (let index = 1; index < Math.min(a.length, b.length); index += 1) {
    const [a0, a1, b0, b1] = [a[index - 1], a[index], b[index - 1], b[index]]
    if (a0 != null && a1 != null && b0 != null && b1 != null) pairs.push([a1 - a0, b1 - b0])
  }
  return { correlation: pearson(pairs), steps: pairs.length }
}

function pearson(pairs: readonly (readonly [number, number])[]): number {
  const meanX = sum(pairs.map(pair => pair[0])) / pairs.length
  const meanY = sum(pairs.map(pair => pair[1])) / pairs.length
  let [xy, xx, yy] = [0, 0, 0]
  for (const [x, y] of pairs) {
    xy += (x - meanX) * (y - meanY)
    xx += (x - meanX) ** 2
    yy += (y - meanY) ** 2
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0
}
