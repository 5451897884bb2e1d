import { collapseRuns, introducers, isDelimiter, maxTokens, wildcard } from './mask-line.ts'

/**
 * A template under construction: its tokens and how many lines have it; `members` say which raw
 * templates it took in.
 */
export interface Draft {
  readonly tokens: readonly string[]
  readonly count: number
  readonly members: readonly number[]
}

// Words that differ at one place are a value from this many on: after an introducer or when they
// look like identifiers, and else.
const fewAlternatives = 3
const manyAlternatives = 8
// A first word mostly says which message it is.
const firstWordFactor = 2
/** How much more often the covering template must occur for a rare one to be taken for one more value. */
const rareFactor = 5
const rounds = 3

const isWord = (token: string | undefined): token is string =>
  token !== undefined && token !== wildcard && !isDelimiter(token)
const isIdentifier = (word: string): boolean =>
  /^(?:[A-Z][A-Z_]*|[a-z]|[A-Za-z]+(?:[-_.@][A-Za-z]+)+)$/.test(word)
/** What was done is never a value: succeeded and failed, starting, the names of errors, GET and POST. */
const isOutcome = (word: string): boolean =>
  /(?:(?:ed|ing|exception|error|fault|failure)\W*|^(?:get|head|post|put|patch|delete|options))$/i.test(
    word
  )

/** Merges templates that differ only in values that masking could not know; linear in the templates' tokens. */
export function mergeTemplates(drafts: readonly Draft[]): Draft[] {
  let current = unite(drafts, draft => draft.tokens)
  for (let round = 0; round < rounds; round += 1) {
    const before = current.length
    current = absorbRare(mergeSlots(current))
    if (current.length === before) break
  }
  return current
}

/** The token sequence as one text. */
const keyOf = (tokens: readonly string[]): string => tokens.join(' ')

/**
 * For each place a number for the sequence without that place, in constant time each: 53 bits of
 * two positional hashes less the place's own part. Sequences that differ at one place only have the
 * same number there; a million others collide with a chance of 10^-4.
 */
function numbersWithoutOne(tokens: readonly string[]): Float64Array {
  const numbers = new Float64Array(tokens.length)
  let [first, second] = [tokens.length, 0]
  const hashes = tokens.map((token, place) => {
    const hash = hashOf(token)
    first = (first + Math.imul(hash, powers.first[place] ?? 1)) | 0
    second = (second + Math.imul(hash, powers.second[place] ?? 1)) | 0
    return hash
  })
  hashes.forEach((hash, place) => {
    const high = (first - Math.imul(hash, powers.first[place] ?? 1) + place) >>> 0
    const low = (second - Math.imul(hash, powers.second[place] ?? 1)) & 0x1fffff
    numbers[place] = high * 0x200000 + low
  })
  return numbers
}
function powersOf(base: number): Int32Array {
  const found = new Int32Array(maxTokens).fill(1)
  for (let place = 1; place < maxTokens; place += 1)
    found[place] = Math.imul(found[place - 1] ?? 1, base)
  return found
}
const powers = { first: powersOf(16_777_619), second: powersOf(40_503_007) }
/** FNV-1a. */
function hashOf(token: string): number {
  let hash = 2_166_136_261 | 0
  for (let index = 0; index < token.length; index += 1)
    hash = Math.imul(hash ^ token.charCodeAt(index), 16_777_619)
  return hash ^ (hash >>> 15)
}

/** Drafts that get the same tokens become one. */
function unite(drafts: readonly Draft[], tokensOf: (draft: Draft) => readonly string[]): Draft[] {
  const united = new Map<string, { tokens: readonly string[]; count: number; members: number[] }>()
  for (const draft of drafts) {
    const tokens = collapseRuns(tokensOf(draft))
    const key = keyOf(tokens)
    const same = united.get(key)
    if (same) {
      same.count += draft.count
      for (const member of draft.members) same.members.push(member)
    } else united.set(key, { tokens, count: draft.count, members: [...draft.members] })
  }
  return [...united.values()]
}

/** Words that alternate at one place of otherwise equal templates are a value when there are enough of them. */
function mergeSlots(drafts: readonly Draft[]): Draft[] {
  const firsts = new Map<number, Draft>()
  const places = new Map<number, { readonly slot: number; readonly words: Map<string, Draft> }>()
  for (const draft of drafts) {
    const numbers = numbersWithoutOne(draft.tokens)
    draft.tokens.forEach((word, slot) => {
      const number = numbers[slot] ?? 0
      if (!isWord(word)) return
      const first = firsts.get(number)
      if (!first) firsts.set(number, draft)
      else {
        const words = places.get(number)?.words ?? new Map([[first.tokens[slot] ?? '', first]])
        places.set(number, { slot, words: words.set(word, draft) })
      }
    })
  }
  const slots = new Map<Draft, Set<number>>()
  for (const { slot, words } of places.values()) {
    if (words.size < fewAlternatives || !isValue(words, slot)) continue
    for (const draft of words.values())
      slots.set(draft, (slots.get(draft) ?? new Set<number>()).add(slot))
  }
  return unite(drafts, draft => {
    const mine = slots.get(draft)
    return mine
      ? draft.tokens.map((token, slot) => (mine.has(slot) ? wildcard : token))
      : draft.tokens
  })
}

function isValue(alternatives: ReadonlyMap<string, Draft>, slot: number): boolean {
  const words = [...alternatives.keys()]
  if (words.filter(isOutcome).length > words.length / 3) return false
  const identifiers = words.every(isIdentifier)
  if (slot === 0)
    return words.length >= (identifiers ? fewAlternatives + 1 : firstWordFactor * manyAlternatives)
  const [any] = alternatives.values()
  const isIntroduced = introducers.has(any?.tokens[slot - 1]?.toLowerCase() ?? '')
  return words.length >= (identifiers || isIntroduced ? fewAlternatives : manyAlternatives)
}

/** A template that another covers is one more value of it, when it is much rarer or stands where only a value can. */
function absorbRare(drafts: readonly Draft[]): Draft[] {
  const whole = new Map(drafts.map(draft => [keyOf(draft.tokens), draft]))
  const bySlot = new Map<number, Draft>()
  const numbers = new Map(drafts.map(draft => [draft, numbersWithoutOne(draft.tokens)]))
  for (const [draft, places] of numbers)
    draft.tokens.forEach((token, slot) => {
      if (token === wildcard) bySlot.set(places[slot] ?? 0, draft)
    })
  const into = new Map<Draft, Draft>()
  for (const [draft, places] of numbers) {
    const cover = draft.tokens
      .flatMap((word, slot) =>
        isWord(word)
          ? [
              { other: bySlot.get(places[slot] ?? 0), certain: isValuePlace(draft.tokens, slot) },
              ...shorter(draft.tokens, slot).map(key => ({ other: whole.get(key), certain: false }))
            ]
          : []
      )
      .find(
        ({ other, certain }) =>
          other && !into.has(other) && (certain || other.count >= rareFactor * draft.count)
      )?.other
    if (cover) into.set(draft, cover)
  }
  return unite(drafts, draft => into.get(draft)?.tokens ?? draft.tokens)
}

/**
 * Whether a word stands where only a value can: after an introducer, or as the value of a pair that
 * is not about absence.
 */
function isValuePlace(tokens: readonly string[], slot: number): boolean {
  const before = tokens[slot - 1]?.toLowerCase() ?? ''
  return (
    introducers.has(before) ||
    (before === '=' && !/^(?:null|none|nil|true|false)$/i.test(tokens[slot] ?? ''))
  )
}

/**
 * The sequence with a value of several tokens as one wildcard: a call `name(value)` or a pair
 * `name:value` at the place.
 */
function shorter(tokens: readonly string[], slot: number): string[] {
  const [next, value, close] = tokens.slice(slot + 1, slot + 4)
  const width = next === '(' && close === ')' && slot > 0 ? 4 : next === ':' ? 3 : 0
  return width > 0 && value === wildcard && tokens.length <= longestReshaped
    ? [keyOf([...tokens.slice(0, slot), wildcard, ...tokens.slice(slot + width)])]
    : []
}
// Rebuilding a sequence costs its length, so long ones are left as they are.
const longestReshaped = 40
