import { invalid } from '../../../core/index.ts'

/** How points become a number: a percentile carries its share (0 to 1). */
export type Aggregation =
  | { readonly kind: 'all' | 'max' | 'average' | 'min' | 'count' | 'sum' }
  | { readonly kind: 'percentile'; readonly p: number }

const kinds = {
  all: 'all',
  peak: 'max',
  max: 'max',
  average: 'average',
  avg: 'average',
  mean: 'average',
  min: 'min',
  count: 'count',
  sum: 'sum'
} as const
const isKind = (word: string): word is keyof typeof kinds => Object.hasOwn(kinds, word)

/** A word of the wire as an aggregation; throws a 400 that lists the words. */
export function readAggregation(word: string, pointer: string): Aggregation {
  const share = /^p(\d{1,2}(?:\.\d{1,3})?|100)$/.exec(word)?.[1]
  if (share !== undefined) return { kind: 'percentile', p: Number(share) / 100 }
  if (isKind(word)) return { kind: kinds[word] }
  throw invalid(
    pointer,
    `must be one of ${Object.keys(kinds).join(', ')} or a percentile such as p95`
  )
}
