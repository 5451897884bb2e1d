import { matchesGlob } from './glob.ts'
import { refuseField, type ApiError } from '../routes/api-error.ts'

/** What a value must satisfy. */
export type Test = (value: string) => boolean
export type SearchNode =
  | { readonly kind: 'all' }
  | { readonly kind: 'text'; readonly test: (words: string) => boolean }
  | { readonly kind: 'field'; readonly key: string; readonly test: Test }
  | { readonly kind: 'attribute'; readonly path: readonly string[]; readonly test: Test }
  | { readonly kind: 'not'; readonly inner: SearchNode }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly SearchNode[] }

const MAX_DEPTH = 50
const MAX_LENGTH = 10_000
interface Cursor {
  readonly text: string
  at: number
  depth: number
}
/** What may follow a `key:`; undefined for text without a key. */
type Key = { readonly attribute: boolean; readonly name: string } | undefined

/** Parses the search language of logs and events; anything outside of it is a 400. */
export function parseSearch(text: string): SearchNode {
  const cursor = { text, at: 0, depth: 0 }
  if (text.length > MAX_LENGTH) throw bad(cursor)
  if (peek(cursor) === '') return { kind: 'all' }
  const node = any(cursor, undefined)
  if (peek(cursor) !== '') throw bad(cursor)
  return node
}

const bad = (cursor: Cursor): ApiError =>
  refuseField('filter.query', `unexpected input at position ${cursor.at} of the query`)

function peek(cursor: Cursor): string {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++
  return cursor.text[cursor.at] ?? ''
}

function match(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)
  if (found) cursor.at += found[0].length
  return found
}

function word(cursor: Cursor, name: 'AND' | 'OR' | 'NOT'): boolean {
  peek(cursor)
  return (
    match(
      cursor,
      name === 'AND' ? /AND(?![^\s()])/y : name === 'OR' ? /OR(?![^\s()])/y : /NOT(?![^\s()])/y
    ) !== null
  )
}

function any(cursor: Cursor, key: Key): SearchNode {
  const parts = [every(cursor, key)]
  while (word(cursor, 'OR')) parts.push(every(cursor, key))
  return parts.length === 1 && parts[0] ? parts[0] : { kind: 'or', parts }
}

function every(cursor: Cursor, key: Key): SearchNode {
  const parts = [unary(cursor, key)]
  for (;;) {
    const next = peek(cursor)
    const joined = word(cursor, 'AND')
    if (
      !joined &&
      (next === '' ||
        next === ')' ||
        /^OR(?![^\s()])/.test(cursor.text.slice(cursor.at, cursor.at + 3)))
    )
      break
    parts.push(unary(cursor, key))
  }
  return parts.length === 1 && parts[0] ? parts[0] : { kind: 'and', parts }
}

function unary(cursor: Cursor, key: Key): SearchNode {
  if (++cursor.depth > MAX_DEPTH) throw bad(cursor)
  try {
    if (peek(cursor) === '-' || word(cursor, 'NOT')) {
      if (cursor.text[cursor.at] === '-') cursor.at++
      return { kind: 'not', inner: unary(cursor, key) }
    }
    if (peek(cursor) === '(') return group(cursor, key)
    return key ? valueOf(cursor, key) : term(cursor)
  } finally {
    cursor.depth--
  }
}

function group(cursor: Cursor, key: Key): SearchNode {
  cursor.at++
  const inner = any(cursor, key)
  if (peek(cursor) !== ')') throw bad(cursor)
  cursor.at++
  return inner
}

function term(cursor: Cursor): SearchNode {
  const found = match(cursor, /(@?)([A-Za-z_][\w.\-/]*):/y)
  if (!found) return valueOf(cursor, undefined)
  const key = { attribute: found[1] === '@', name: found[2] ?? '' }
  return cursor.text[cursor.at] === '(' ? group(cursor, key) : valueOf(cursor, key)
}

function valueOf(cursor: Cursor, key: Key): SearchNode {
  const phrase = match(cursor, /"((?:[^"\\]|\\.)*)"/sy)
  if (phrase) return leaf(key, unescape(phrase[1] ?? ''), false)
  if (key) {
    const range = match(cursor, /\[\s*(\S+)\s+TO\s+(\S+?)\s*\]/y)
    if (range)
      return keyed(
        key,
        between(bound(cursor, range[1], -Infinity), bound(cursor, range[2], Infinity))
      )
    const compare = match(cursor, /(>=|<=|>|<)(-?\d+(?:\.\d+)?)(?![^\s()])/y)
    if (compare) return keyed(key, comparison(compare[1] ?? '', Number(compare[2])))
  }
  const bare = match(cursor, /(?:\\.|[^\s()"[\]{}<>~^\\:!@=,/?]|(?<!^)[@/=:,?])+/y)
  if (!bare || /[~^]/.test(cursor.text[cursor.at] ?? '')) throw bad(cursor)
  const text = bare[0]
  if (/^(AND|OR|NOT)$/.test(text)) throw bad(cursor)
  if (!key && text === '*') return { kind: 'all' }
  if (!key && (text.includes(':') || text.startsWith('/'))) throw bad(cursor)
  return leaf(key, unescape(text), /(?<!\\)[*?]/.test(text))
}

const unescape = (text: string): string => text.replace(/\\(.)/gs, '$1')

function bound(cursor: Cursor, text: string | undefined, open: number): number {
  if (text === '*') return open
  const value = Number(text)
  if (text === undefined || Number.isNaN(value)) throw bad(cursor)
  return value
}

const between =
  (low: number, high: number): Test =>
  value =>
    value !== '' && Number(value) >= low && Number(value) <= high

function comparison(op: string, limit: number): Test {
  const holds =
    {
      '>': (n: number) => n > limit,
      '>=': (n: number) => n >= limit,
      '<': (n: number) => n < limit
    }[op] ?? ((n: number) => n <= limit)
  return value => value !== '' && holds(Number(value))
}

const keyed = (key: NonNullable<Key>, test: Test): SearchNode =>
  key.attribute
    ? { kind: 'attribute', path: key.name.split('.'), test }
    : { kind: 'field', key: key.name.toLowerCase(), test }

function leaf(key: Key, text: string, wild: boolean): SearchNode {
  if (!key) return { kind: 'text', test: wild ? wildWords(text) : wholeWords(text) }
  const wanted = text.toLowerCase()
  if (!wild) return keyed(key, value => value.toLowerCase() === wanted)
  return keyed(key, value => matchesGlob(wanted, value.toLowerCase()))
}

function wholeWords(text: string): (words: string) => boolean {
  const wanted = wordsOf(text)
  return wanted.trim() === '' ? () => true : words => words.includes(wanted)
}

/** A wildcard stands for a part of one word; a pattern of several words finds them one after the other. */
function wildWords(text: string): (words: string) => boolean {
  const wanted = text
    .toLowerCase()
    .split(/([*?])/)
    .map(piece => (piece === '*' || piece === '?' ? piece : wordsOf(piece).trim()))
    .join('')
    .split(' ')
  return words => {
    const found = words.trim().split(' ')
    return found.some((_, start) =>
      wanted.every((pattern, i) => matchesGlob(pattern, found[start + i] ?? ''))
    )
  }
}

/** A text as full-text search sees it: lower-case words with one blank around each. */
export const wordsOf = (text: string): string =>
  ` ${text
    .toLowerCase()
    .split(/[^\p{L}\p{N}_]+/u)
    .filter(Boolean)
    .join(' ')} `
