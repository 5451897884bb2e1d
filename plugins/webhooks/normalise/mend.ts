import { emptyFields, limits, type Fields } from './bound.ts'
import {
  endOfNested,
  endOfString,
  isBehindBackslash,
  unescapeString,
  type Effort
} from './escape.ts'
import { isKnownName } from './names.ts'

/** What `mend` says when it read everything but kept only part. */
export const limited = 'values beyond the limits'

interface Cursor {
  readonly text: string
  readonly strict: boolean
  readonly notes: Set<string>
  readonly effort: Effort
  at: number
  /** How many more values are kept; below zero, how many were only passed over. */
  values: number
}
// Known names are looked for a little further at the root, where one huge list often comes first.
const mostPassedOver = 3_000
type Inside = '}' | ']'

const space = /[\s\0\ufeff]*/y
const separators = /[\s\0\ufeff,]*/y
const bareKey = /[$\w.-]{1,128}(?:\[\w{0,64}\])?/y
const bareValue = /\$[A-Za-z_]\w{0,99}(?:\[[^\]\n]{0,99}\])?(?=\s*(?:[,}\]]|$))|[^,}\]\n"{[]*/y
const jsonInQuotes = /\{\s*"[^"\\\n]{1,200}"\s*:|\[\s*[{"]/y
const closing = {
  '}': /[\s\0]*(?:,[\s\0]*)?(?:$|"(?:[^"\\\n]|\\.){0,300}"\s*:|\}[\s\0]*(?:[,}\];]|[{[]\s*["{]|$))/y,
  ']': /[\s\0]*(?:,[\s\0]*)?(?:$|\][\s\0]*(?:[,}\]]|[{[]\s*["{]|$))|\s*,\s*(?:["[{$-]|\d|true|false|null)/y
} as const
// What stands behind a quote that a single backslash has escaped by accident, as in `"D:\","key":`; text in proper
// JSON has no such place.
const closingEscaped = {
  '}': /\s*(?:\}\s*)*(?:,\s*"[^"\\\n]{1,64}"\s*:|\}[\s\0]*$)/y,
  ']': /\s*,\s*"(?!\s*[,\]])|\s*\](?:\s*\})*\s*(?:,\s*"[^"\\\n]{1,64}"\s*:|$)/y
} as const

export interface Mended {
  readonly value: unknown
  readonly notes: string[]
  /** The place behind the document. */
  readonly end: number
}

/**
 * Reads the one JSON document at `start` as broken webhook templates make it, in one linear pass and within
 * `limits`: raw control characters and unescaped quotes in strings, extra and missing commas, bare words, a cut-off
 * end. Throws a SyntaxError when unsure. `strict` takes every quote for the end of its string, as real JSON has it.
 */
export function mend(text: string, strict: boolean, start = 0): Mended {
  const cursor: Cursor = {
    text,
    strict,
    notes: new Set(),
    effort: { left: 200_000 },
    at: start,
    values: limits.values
  }
  const value = readValue(cursor, 0, '}')
  return { value, notes: [...cursor.notes], end: cursor.at }
}

function fail(cursor: Cursor, what: string): never {
  throw new SyntaxError(`${what} at character ${cursor.at}`)
}

function matches(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}

function skipSpace(cursor: Cursor): string | undefined {
  const code = cursor.text.charCodeAt(cursor.at)
  if (code <= 32 || code > 126) cursor.at = matches(space, cursor.text, cursor.at)
  return cursor.text[cursor.at]
}

function leave(cursor: Cursor, depth: number): void {
  cursor.notes.add(limited)
  const end = endOfNested(cursor.text, cursor.at, cursor.text.length, depth)
  cursor.at = end < 0 ? cursor.text.length : end
}

function readValue(cursor: Cursor, depth: number, inside: Inside): unknown {
  const next = skipSpace(cursor)
  cursor.values--
  if (next === '{' || next === '[') {
    if (depth < limits.depth && cursor.values > 0)
      return next === '{' ? readObject(cursor, depth) : readArray(cursor, depth)
    leave(cursor, 0)
    return '…'
  }
  return next === '"' ? readString(cursor, inside) : readBare(cursor)
}

function readObject(cursor: Cursor, depth: number): Fields {
  const out = emptyFields()
  cursor.at++
  for (let first = true; more(cursor, '}', first); first = false) {
    if (cursor.values < (depth === 0 ? -mostPassedOver : 0)) {
      leave(cursor, 1)
      break
    }
    const key = readKey(cursor)
    if (skipSpace(cursor) !== ':') fail(cursor, 'a colon is missing')
    cursor.at++
    const value = readValue(cursor, depth + 1, '}')
    if (cursor.values > 0 || (depth === 0 && isKnownName(key))) out[key] = value
    else cursor.notes.add(limited)
  }
  return out
}

function readArray(cursor: Cursor, depth: number): unknown[] {
  const out: unknown[] = []
  cursor.at++
  for (let first = true; more(cursor, ']', first); first = false) {
    if (cursor.values <= 0) {
      leave(cursor, 1)
      break
    }
    out.push(readValue(cursor, depth + 1, ']'))
  }
  return out
}

function more(cursor: Cursor, close: Inside, first: boolean): boolean {
  let commas = 0
  let next = skipSpace(cursor)
  if (next === ',') {
    cursor.at++
    next = skipSpace(cursor)
    commas = next === ',' ? 2 : 1
    if (commas === 2) cursor.at = matches(separators, cursor.text, cursor.at)
    next = cursor.text[cursor.at]
  }
  // Where a key is due, a bracket is the start of the next document.
  const isCut = next === undefined || (close === '}' && (next === '{' || next === '['))
  if (isCut) cursor.notes.add('a cut-off end')
  else if (next === '}' || next === ']') {
    if (next !== close) fail(cursor, `'${close}' is expected`)
    if (commas > 0) cursor.notes.add('a trailing comma')
    cursor.at++
  } else {
    if (commas !== (first ? 0 : 1))
      cursor.notes.add(commas === 0 ? 'a missing comma' : 'an extra comma')
    return true
  }
  return false
}

function readKey(cursor: Cursor): string {
  const start = cursor.at
  if (cursor.text[start] === '"') {
    const end = endOfString(cursor.text, start + 1)
    if (end < 0) fail(cursor, 'a key never ends')
    cursor.at = end + 1
    return unescapeString(cursor.text.slice(start + 1, end), cursor.effort)
  }
  const end = matches(bareKey, cursor.text, start)
  if (end < 0) fail(cursor, 'a key is expected')
  cursor.notes.add('an unquoted key')
  cursor.at = end
  return cursor.text.slice(start, end)
}

function readString(cursor: Cursor, inside: Inside): string {
  const { text, strict } = cursor
  const start = cursor.at + 1
  const json = strict ? undefined : readJsonInQuotes(cursor, inside)
  if (json !== undefined) return json
  let skipped = false
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    const isEscaped = isBehindBackslash(text, end, start)
    if (isEscaped && (strict || matches(closingEscaped[inside], text, end + 1) < 0)) continue
    if (isEscaped || strict || matches(closing[inside], text, end + 1) >= 0) {
      if (isEscaped) cursor.notes.add('a backslash before a quote')
      if (skipped) cursor.notes.add('unescaped quotes in a string')
      cursor.at = end + 1
      return unescapeString(text.slice(start, end), cursor.effort)
    }
    skipped = true
    cursor.effort.left -= 20
    if (cursor.effort.left < 0) break
  }
  if (skipped) fail(cursor, 'a string whose end is unclear')
  cursor.notes.add('a cut-off end')
  cursor.at = text.length
  return unescapeString(text.slice(start), cursor.effort)
}

function readJsonInQuotes(cursor: Cursor, inside: Inside): string | undefined {
  const { text } = cursor
  const start = cursor.at + 1
  if (cursor.effort.left <= 0 || matches(jsonInQuotes, text, start) < 0) return undefined
  const end = endOfNested(text, start, Math.min(text.length, start + 20_000))
  cursor.effort.left -= end < 0 ? 20_000 : end - start
  if (end < 0 || text[end] !== '"' || matches(closing[inside], text, end + 1) < 0) return undefined
  const json = text.slice(start, end)
  try {
    JSON.parse(json)
  } catch {
    return undefined
  }
  cursor.notes.add('unescaped JSON inside quotes')
  cursor.at = end + 1
  return json
}

function readBare(cursor: Cursor): unknown {
  const end = matches(bareValue, cursor.text, cursor.at)
  const token = cursor.text.slice(cursor.at, end).replaceAll('\0', '').trim()
  const next = cursor.text[end]
  if (next === '"' || next === '{' || next === '[') fail(cursor, 'a value is unclear')
  cursor.at = end
  if (token === 'true' || token === 'false') return token === 'true'
  if (token === 'null') return null
  if (token.length <= 400 && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(token)) {
    const value = Number(token)
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? token : value
  }
  cursor.notes.add(token === '' ? 'a missing value' : 'an unquoted value')
  if (token === 'True' || token === 'False') return token === 'True'
  return token === '' || token === 'None' ? null : token
}
