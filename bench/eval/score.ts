import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

/** A share of `n` cases with the 95 % interval of Wilson, which stays honest at 0, at 1 and for few cases. */
export interface Rate {
  readonly n: number
  readonly hits: number
  readonly rate: number
  readonly low: number
  readonly high: number
}

const z95 = 1.96

/** The rate of hits among the cases; NaN of none. */
export function rateOf(hits: readonly boolean[]): Rate {
  const n = hits.length
  const count = hits.filter(Boolean).length
  const rate = count / n
  const centre = (rate + z95 ** 2 / (2 * n)) / (1 + z95 ** 2 / n)
  const half =
    (z95 / (1 + z95 ** 2 / n)) * Math.sqrt((rate * (1 - rate)) / n + (z95 / (2 * n)) ** 2)
  return { n, hits: count, rate, low: centre - half, high: centre + half }
}

/** `0.923 [0.76, 0.98]`. */
export const showRate = ({ rate, low, high }: Rate): string =>
  Number.isNaN(rate) ? '-' : `${rate.toFixed(3)} [${low.toFixed(2)}, ${high.toFixed(2)}]`

export const mean = (figures: readonly number[]): number =>
  figures.reduce((total, figure) => total + figure, 0) / figures.length

/** A scored answer of a ranking; equal scores are one place. */
export interface Scored {
  readonly name: string
  readonly score: number
}

/**
 * The place of the true answer, from 1; Infinity when it was not given. Names count once, and of
 * answers with equal scores the true one comes last: a tie is never credited.
 */
export function placeOf(truth: string, ranking: readonly Scored[]): number {
  const best = new Map<string, number>()
  for (const { name, score } of ranking) if (!best.has(name)) best.set(name, score)
  const mine = best.get(truth)
  return mine === undefined
    ? Number.POSITIVE_INFINITY
    : [...best.values()].filter(score => score >= mine).length
}

/** Best first; ties by name, so that a run is repeatable. */
export const inOrder = (ranking: readonly Scored[]): Scored[] =>
  ranking.toSorted((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))

const engine = new URL('../../plugins/rca/service/engine/', import.meta.url)

/** What all tracks ran with: there is no other configuration than the engine's own sources. */
export function configurationHash(): string {
  const hash = createHash('sha256')
  for (const file of readdirSync(engine).toSorted())
    hash.update(file).update(readFileSync(new URL(file, engine)))
  return hash.digest('hex').slice(0, 12)
}

/** Figures between 0 and 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
