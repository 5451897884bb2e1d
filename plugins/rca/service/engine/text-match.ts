import type { ReadChange } from './change-meaning.ts'
import type { Change } from './incident.ts'
import { bareName } from './map-paths.ts'
import { dependencyFiles } from './paired-lines.ts'
import type { BadText } from './read-signs.ts'
import { wordsOfIdentifiers } from './setting-changes.ts'

const stopWords = new Set(
  (
    'the and for with from that this are was not has have had but its into out per via all any new old get set use ' +
    'error errors err failed failure fail status code service services request requests response call calls func ' +
    'return const let var true false null nil none self string int value type name data info warn time line file'
  ).split(' ')
)
// Names made of these alone are everybody's: `http.Request`, `context.Context`, `json_response`.
const everydayWords = new Set([
  ...stopWords,
  ...(
    'http https context ctx writer reader handler handle json xml server client user id ids key keys map list array ' +
    'object api app log logger text body header headers param params option options config test main run start ' +
    'stop init async await session query exec result results db sql item items message messages event events ' +
    'count total number size ' +
    'max min first last is to in on of by at or not no'
  ).split(' ')
])
const wordsOf = (text: string): string[] =>
  wordsOfIdentifiers(text)
    .split(' ')
    .filter(word => word !== '')
/** The words of a text that can tell changes apart. */
const termsOf = (text: string): string[] =>
  wordsOf(text).filter(word => word.length >= 3 && !/^\d/.test(word) && !stopWords.has(word))

/** How well a change matches what the signs say in words. */
export interface TextMatch {
  /** BM25 of the signs' words in message, files and diff, over that of the best change, 0 to 1. */
  readonly words: number
  /** How sure the names that the signs and the changed lines share make it, 0 to 1. */
  readonly names: number
  readonly sharedNames: readonly string[]
}

const [k1, b] = [1.2, 0.6]
const longestName = 5
// A name that more changes than these have tells nothing.
const maxHolders = 3

/** BM25 (Robertson and Walker, 1994) of the signs against every change, and the names they share. */
export function matchTexts(
  texts: readonly BadText[],
  changes: readonly { readonly change: Change; readonly read: ReadChange }[],
  serviceNames: readonly string[]
): TextMatch[] {
  const words = scoreWords(texts, changes)
  const best = Math.max(...words, 1e-9)
  const phrases = phrasesOf(texts)
  for (const service of serviceNames) phrases.delete(wordsOf(service).join(' '))
  const names = changes.map(({ change, read }) =>
    read.isInert ? [] : [...namesOf(change, read)].filter(name => phrases.has(name))
  )
  const holders = countOf(names.flat())
  const services = new Set(serviceNames.map(bareName))
  return changes.map((_, index) => {
    const shared = (names[index] ?? []).filter(
      name => (holders.get(name) ?? 0) <= maxHolders && !services.has(bareName(name))
    )
    const doubt = shared.reduce(
      (rest, name) => rest * (1 - (phrases.get(name) ?? 0) / (holders.get(name) ?? 1)),
      1
    )
    return { words: (words[index] ?? 0) / best, names: 1 - doubt, sharedNames: shared }
  })
}

function scoreWords(
  texts: readonly BadText[],
  changes: readonly { readonly change: Change; readonly read: ReadChange }[]
): number[] {
  const query = new Map<string, number>()
  for (const { text, weight } of texts)
    for (const term of new Set(termsOf(text)))
      query.set(term, Math.max(query.get(term) ?? 0, weight))
  const documents = changes.map(({ change, read }) => {
    const lines = read.hunks.flatMap(hunk => [...hunk.added, ...hunk.removed])
    const terms = termsOf([change.message, ...change.files, ...lines].join('\n'))
    return { counts: countOf(terms), length: terms.length }
  })
  const average = documents.reduce((sum, { length }) => sum + length, 0) / (documents.length || 1)
  const rarity = new Map(
    [...query.keys()].map(term => {
      const count = documents.filter(({ counts }) => counts.has(term)).length
      return [term, Math.log(1 + (documents.length - count + 0.5) / (count + 0.5))] as const
    })
  )
  return documents.map(({ counts, length }) =>
    [...query].reduce((sum, [term, weight]) => {
      const count = counts.get(term) ?? 0
      const saturated = (count * (k1 + 1)) / (count + k1 * (1 - b + (b * length) / average))
      return sum + (count === 0 ? 0 : weight * (rarity.get(term) ?? 0) * saturated)
    }, 0)
  )
}

/** Every run of up to five words of the signs, with the weight of the text it is in. */
function phrasesOf(texts: readonly BadText[]): Map<string, number> {
  const phrases = new Map<string, number>()
  for (const { text, weight, from } of texts) {
    // The names of metrics are everybody's words.
    if (from === 'metric') continue
    const words = wordsOf(text)
    words.forEach((_, start) => {
      for (let length = 1; length <= longestName; length += 1) {
        const phrase = words.slice(start, start + length).join(' ')
        phrases.set(phrase, Math.max(phrases.get(phrase) ?? 0, weight))
      }
    })
  }
  return phrases
}

/**
 * The names in changed lines, or in what a change says where nobody has its lines, that hardly occur
 * by chance, as words: identifiers of several parts, words with a number in them, and in lists of
 * libraries every name.
 */
function namesOf({ message, diff }: Change, { hunks }: ReadChange): Set<string> {
  const found = new Set<string>()
  const told = diff === null ? [{ file: '', added: [message], removed: [] }] : hunks
  for (const { file, added, removed } of told)
    for (const line of [...added, ...removed]) {
      for (const identifier of line.match(/[A-Za-z_][\w]*(?:[.\-/:][A-Za-z_]\w*)*/g) ?? []) {
        const words = wordsOf(identifier)
        const isSpecific =
          (words.length > 1 && words.length <= longestName && identifier.length >= 8) ||
          /^[a-z]{3,}\d+$/i.test(identifier)
        if (isSpecific && !words.every(word => everydayWords.has(word))) found.add(words.join(' '))
      }
      if (dependencyFiles.test(file))
        for (const word of termsOf(line)) if (word.length >= 4) found.add(word)
    }
  return found
}

function countOf(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  return counts
}
