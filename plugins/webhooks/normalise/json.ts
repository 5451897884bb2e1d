import { jsonrepair } from 'jsonrepair'
import { errorText } from '../../../core/index.ts'
import { line } from './clean.ts'
import { endOfNested, parseExactly } from './escape.ts'
import { limited, mend } from './mend.ts'
import { isTellingName } from './names.ts'

/** What a text holds as JSON; `value` is undefined when it holds none. */
export interface Parsed {
  readonly value: unknown
  /** Why the text was not plain JSON. */
  readonly problem: string | null
  readonly preface?: string
  readonly others?: readonly unknown[]
}
interface Document {
  readonly value: unknown
  readonly end: number
  readonly notes: readonly string[]
}

// jsonrepair 3.15 is quadratic: 35 ms for 16 KB of quotes, 410 ms for 64 KB, 44 s for 256 KB.
const mostForJsonrepair = 8_192
// JSON.parse takes up to 110 ms for 1 MB of brackets or keys, the bounded reader a third of that.
const mostMarks = 40_000
const maxDocuments = 50

const documentStart = /\{\s{0,64}"(?:[^"\\\n]|\\.){1,200}"\s{0,64}:|\[\s{0,64}\{\s{0,64}"/g
// Where the document before it was cut off: at a line's begin or behind a value, never as a member or an element.
const behindAnother =
  /(?<=["}\]\w][\s\0;\x1e]{0,64}|\n\s{0,64})\{\s{0,64}"[^"\\\n]{1,200}"\s{0,64}:/g
const maxLookedAt = 20
const between = /[\s\0\ufeff,;\x1e]*/y
const harmless = /^[\s\0\ufeff,;=)\]}>`'"-]{0,64}$/

/**
 * Reads the JSON of a text with every digit of long integers: as it is, or the first of several documents, or what
 * stands between other text, or repaired where that is safe. Facts of two documents never come together.
 */
export function parseDocuments(text: string): Parsed {
  const whole = parseWhole(text)
  if (whole.value !== undefined) return whole
  const start = /^[[{]/.test(text) ? 0 : startInside(text)
  if (start < 0) return { value: undefined, problem: `not JSON: ${whole.problem ?? ''}` }
  const first = readFirst(text, start, whole.problem ?? '')
  if (!first) return { value: undefined, problem: `not JSON: ${whole.problem ?? ''}` }
  const preface = text.slice(0, start).trim()
  if (preface !== '' && !tells(first.value))
    return { value: undefined, problem: `not JSON: ${whole.problem ?? ''}` }
  const { others, tail } = readOthers(text, first.end)
  const notes = [
    ...first.notes,
    ...(preface === '' ? [] : ['text before the JSON']),
    ...(tail === '' ? [] : [tail])
  ]
  return {
    value: first.value,
    problem: notes.length > 0 ? `repaired: ${notes.join(', ')}` : null,
    ...(preface === '' ? {} : { preface }),
    ...(others.length > 0 ? { others } : {})
  }
}

/** The text as one document, if it is valid; else the reason why not. */
function parseWhole(text: string): Parsed {
  if (!isHeavy(text)) {
    try {
      return { value: parseExactly(text), problem: null }
    } catch (error) {
      return { value: undefined, problem: line(errorText(error), 200) }
    }
  }
  const strict = tryMend(text, true, 0)
  if (typeof strict === 'string') return { value: undefined, problem: line(strict, 200) }
  if (text.slice(strict.end).trim() !== '') return { value: undefined, problem: 'text after it' }
  if (strict.notes.length === 0) return { value: strict.value, problem: null }
  const onlyCut = strict.notes.length === 1 && strict.notes[0] === limited
  return onlyCut
    ? { value: strict.value, problem: `too large: left out ${limited}` }
    : { value: undefined, problem: strict.notes.join(', ') }
}

/** Where a document begins in other text, or -1. */
function startInside(text: string): number {
  documentStart.lastIndex = 0
  return documentStart.exec(text)?.index ?? -1
}

/** JSON inside a sentence counts as the alert only when it says something of one. */
const tells = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(item => tells(item))
    : typeof value === 'object' && value !== null && Object.keys(value).some(isTellingName)

/** The document at `start`: valid as far as its brackets reach, or repaired up to where another one begins. */
function readFirst(text: string, start: number, reason: string): Document | undefined {
  const exact = readExact(text, start)
  if (exact) return exact
  const until = startOfAnother(text, start)
  const mended = tryMend(text.slice(0, until), false, start)
  if (typeof mended !== 'string') {
    const notes = mended.notes.length > 0 ? mended.notes : [line(reason, 200)]
    const rest = text.slice(mended.end, mended.end + 65)
    if (harmless.test(rest) || nextStart(text, mended.end) !== undefined)
      return { ...mended, notes }
  }
  const repaired = repair(text.slice(start, until))
  if (repaired !== undefined) return { value: repaired, end: until, notes: [line(reason, 200)] }
  return typeof mended === 'string' ? undefined : mended
}

/**
 * Where a document begins that reaches to the end of the text, or to the next one: no repair of the first may cross
 * it.
 */
function startOfAnother(text: string, start: number): number {
  behindAnother.lastIndex = start + 1
  for (let looked = 0; looked < maxLookedAt; looked++) {
    const at = behindAnother.exec(text)?.index
    if (at === undefined) break
    const end = endOfNested(text, at, text.length)
    if (end < 0) continue
    between.lastIndex = end
    between.test(text)
    const after = text[between.lastIndex]
    if (after === undefined || after === '{') return at
  }
  return text.length
}

function readExact(text: string, start: number): Document | undefined {
  if (isHeavy(text)) return undefined
  const end = endOfNested(text, start, text.length)
  if (end < 0) return undefined
  try {
    return { value: parseExactly(text.slice(start, end)), end, notes: [] }
  } catch {
    return undefined
  }
}

/**
 * The documents after the first, and a word on what else stands there; one that is broken is the last that is
 * looked at.
 */
function readOthers(
  text: string,
  from: number
): { readonly others: unknown[]; readonly tail: string } {
  const others: unknown[] = []
  let at = from
  for (let start = nextStart(text, at); start !== undefined; start = nextStart(text, at)) {
    const exact = others.length < maxDocuments ? readExact(text, start) : undefined
    if (!exact) {
      const mended = tryMend(text, false, start)
      others.push(typeof mended === 'string' ? undefined : mended.value)
      return { others, tail: '' }
    }
    others.push(exact.value)
    at = exact.end
  }
  const rest = text.slice(at, at + 65)
  if (rest.trim() === '') return { others, tail: '' }
  return { others, tail: harmless.test(rest) ? 'characters after the end' : 'text after the end' }
}

/** Where the next document begins, with nothing but separators before it or as JSON in other text. */
function nextStart(text: string, from: number): number | undefined {
  between.lastIndex = from
  between.test(text)
  const at = between.lastIndex
  if (text[at] === '{' || text[at] === '[') return at
  documentStart.lastIndex = at
  return documentStart.exec(text)?.index
}

function tryMend(text: string, strict: boolean, start: number): Document | string {
  try {
    return mend(text, strict, start)
  } catch (error) {
    return errorText(error)
  }
}

function repair(text: string): unknown {
  // Two documents are not made one: what jsonrepair makes of them is anybody's guess.
  behindAnother.lastIndex = 1
  if (text.length > mostForJsonrepair || behindAnother.test(text)) return undefined
  if (/\}[\s,;]*\{\s*['"]/.test(text)) return undefined
  try {
    const value = parseExactly(jsonrepair(text))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function isHeavy(text: string): boolean {
  if (text.length < mostMarks) return false
  let marks = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 44 || code === 58 || code === 91 || code === 123) marks++
  }
  return marks > mostMarks
}
