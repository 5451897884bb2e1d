import { sum } from './statistics.ts'

/** An incident of the past; `cause` is there only when a person confirmed it. */
export interface PastIncident {
  readonly id: string
  readonly tokens: readonly string[]
  readonly cause?: string
}
export interface RecalledIncident {
  readonly id: string
  readonly cause?: string
  /** 0 to 1: the cosine of both incidents' signs, pulled towards that of the incidents with the same cause. */
  readonly similarity: number
  /** Whether it is near enough to be worth a test; further ones are only the nearest there are. */
  readonly isClose: boolean
  /** The shared signs that weigh most, heaviest first: why it is a match. */
  readonly reasons: readonly string[]
}

// How far the incidents with the same confirmed cause speak for each other.
const trustInCause = 0.2
/** From here on an incident is worth a test. */
export const leastSimilarity = 0.25
const maxReasons = 5

/**
 * Finds the past incidents whose signs are most like those of a new one: TF-IDF over whole signs,
 * where a sign that told confirmed causes apart in the past weighs up to twice. Answers are
 * hypotheses to test, never evidence. Nearest first, ties by id. Learns from `past` alone; a past
 * without confirmed causes gives plain TF-IDF.
 */
export function createRecall(
  past: readonly PastIncident[]
): (tokens: readonly string[]) => RecalledIncident[] {
  const weightOf = weighTokens(past)
  const lengthOf = (tokens: Iterable<string>): number =>
    Math.sqrt(sum([...tokens].map(token => weightOf(token) ** 2)))
  const known = past.map(incident => {
    const tokens = new Set(incident.tokens)
    return { incident, tokens, length: lengthOf(tokens) }
  })
  return query => {
    const asked = new Set(query)
    const length = lengthOf(asked)
    const own = known.map(one => {
      const shared = [...asked].filter(token => one.tokens.has(token))
      const product = sum(shared.map(token => weightOf(token) ** 2))
      return { ...one, shared, cosine: product === 0 ? 0 : product / (length * one.length) }
    })
    const ofCause = meanBy(own.map(({ incident, cosine }) => [incident.cause, cosine] as const))
    return own
      .map(({ incident: { id, cause }, shared, cosine }) => {
        const similarity =
          (1 - trustInCause) * cosine + trustInCause * (ofCause.get(cause ?? '') ?? cosine)
        return {
          id,
          ...(cause === undefined ? {} : { cause }),
          similarity,
          isClose: similarity >= leastSimilarity,
          reasons: shared
            .toSorted((a, b) => weightOf(b) - weightOf(a) || (a < b ? -1 : 1))
            .slice(0, maxReasons)
        }
      })
      .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
  }
}

/** The mean figure of each confirmed cause. */
function meanBy(figures: readonly (readonly [string | undefined, number])[]): Map<string, number> {
  const groups = new Map<string, number[]>()
  for (const [cause, figure] of figures)
    if (cause !== undefined) groups.set(cause, [...(groups.get(cause) ?? []), figure])
  return new Map([...groups].map(([cause, group]) => [cause, sum(group) / group.length]))
}

/**
 * Rarity (smoothed inverse document frequency) times one plus what the token says about the
 * confirmed cause, 0 to 1.
 */
function weighTokens(past: readonly PastIncident[]): (token: string) => number {
  const holders = new Map<string, Set<number>>()
  past.forEach(({ tokens }, index) => {
    for (const token of tokens)
      holders.set(token, (holders.get(token) ?? new Set<number>()).add(index))
  })
  const rarity = (count: number): number => Math.log((1 + past.length) / (1 + count)) + 1
  const certaintyOf = createCertainty(past)
  const weights = new Map(
    [...holders].map(([token, held]) => [token, rarity(held.size) * (1 + certaintyOf(held))])
  )
  const unseen = rarity(0)
  return token => weights.get(token) ?? unseen
}

/**
 * How much of a sign's presence the confirmed causes explain, 0 to 1: the mutual information of
 * both over the sign's own entropy, less what chance alone gives in so few incidents (Miller and
 * Madow's correction).
 */
function createCertainty(past: readonly PastIncident[]): (held: ReadonlySet<number>) => number {
  const byCause = new Map<string, number[]>()
  past.forEach(({ cause }, index) => {
    if (cause !== undefined) byCause.set(cause, [...(byCause.get(cause) ?? []), index])
  })
  const total = sum([...byCause.values()].map(members => members.length))
  const part = (joint: number, margin: number, members: number): number =>
    joint === 0 ? 0 : (joint / total) * Math.log((joint * total) / (margin * members))
  const entropy = (share: number): number => (share <= 0 ? 0 : -share * Math.log(share))
  return held => {
    const counts = [...byCause.values()].map(members => ({
      members: members.length,
      with: members.filter(index => held.has(index)).length
    }))
    const present = sum(counts.map(count => count.with))
    const uncertainty = entropy(present / total) + entropy(1 - present / total)
    if (!(uncertainty > 0)) return 0
    const information = sum(
      counts.map(
        count =>
          part(count.with, present, count.members) +
          part(count.members - count.with, total - present, count.members)
      )
    )
    const byChance = (counts.length - 1) / (2 * total)
    return Math.max(0, information - byChance) / uncertainty
  }
}
