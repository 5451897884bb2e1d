import { isUtf8 } from 'node:buffer'
import { jsonrepair } from 'jsonrepair'
import { errorText } from '../../../core/index.ts'
import { line } from './clean.ts'
import { quoteBigIntegers } from './escape.ts'
import { isForm, looksLikeForm, readForm } from './form.ts'
import { limited, mend } from './mend.ts'

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** A decoded body; `problem` says why it was not plain JSON or a plain form. */
export interface Decoded {
  readonly value: unknown
  readonly problem: string | null
}

// jsonrepair 3.15 is quadratic: 35 ms for 16 KB of quotes, 410 ms for 64 KB, 44 s for 256 KB.
const mostForJsonrepair = 8_192
// JSON.parse takes up to 110 ms for 1 MB of brackets or keys, the bounded reader a third of that.
const mostMarks = 40_000

/** Turns the bytes of any body into data: JSON of any content type, a form, repaired JSON, or else the text itself. */
export function decode(raw: Uint8Array, headers: Headers): Decoded {
  const type = header(headers, 'content-type').toLowerCase()
  const text = decodeText(raw, type).trim()
  if (/^\0*$/.test(text)) return { value: null, problem: 'the body is empty' }
  const json = /^[[{]/.test(text)
  if (isForm(type) && !json)
    return readForm(text, parseJson) ?? { value: text, problem: 'the form has no fields' }
  const parsed = parseJson(text)
  if (parsed.problem === null || parsed.value !== undefined) return parsed
  return (
    (json || !looksLikeForm(text) ? undefined : readForm(text, parseJson)) ?? {
      value: text,
      problem: parsed.problem
    }
  )
}

/** Parses JSON with every digit of long integers, repairing it where that is safe; `value` is undefined when it is not. */
export function parseJson(text: string): Decoded {
  let reason = ''
  if (isHeavy(text)) {
    const strict = tryMend(text, true)
    if (strict.problem === limited)
      return { value: strict.value, problem: `too large: left out ${limited}` }
    if (strict.value !== undefined && strict.problem === '')
      return { value: strict.value, problem: null }
  } else {
    try {
      return { value: JSON.parse(quoteBigIntegers(text)) as unknown, problem: null }
    } catch (error) {
      reason = errorText(error)
    }
  }
  if (!/^[[{]/.test(text)) return { value: undefined, problem: `not JSON: ${line(reason, 200)}` }
  const mended = tryMend(text, false)
  if (mended.value !== undefined)
    return { value: mended.value, problem: `repaired: ${mended.problem || line(reason, 200)}` }
  const repaired = tryJsonrepair(text)
  if (repaired !== undefined) return { value: repaired, problem: `repaired: ${line(reason, 200)}` }
  return { value: undefined, problem: `not JSON: ${line(mended.problem ?? reason, 200)}` }
}

function tryMend(text: string, strict: boolean): Decoded {
  try {
    const { value, notes } = mend(text, strict)
    return { value, problem: notes.join(', ') }
  } catch (error) {
    return { value: undefined, problem: errorText(error) }
  }
}

function tryJsonrepair(text: string): unknown {
  if (text.length > mostForJsonrepair) return undefined
  try {
    const value: unknown = JSON.parse(quoteBigIntegers(jsonrepair(text)))
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

function header(headers: Headers, name: string): string {
  const key = Object.keys(headers).find(given => given.toLowerCase() === name)
  const value = key === undefined ? undefined : headers[key]
  return typeof value === 'string' ? value : (value?.[0] ?? '')
}

function decodeText(raw: Uint8Array, type: string): string {
  const [first, second] = raw
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(raw)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(raw)
  const utf8 = new TextDecoder('utf-8').decode(raw)
  if (isUtf8(raw)) return utf8
  const charset = /charset\s{0,4}=\s{0,4}"?(?:iso-8859-1|latin-?1|windows-1252|us-ascii)/.test(type)
  // Without one good multi-byte character this never was UTF-8; with some, a single bad byte must not spoil the rest.
  return charset || !/[^\0-\x7f\ufffd]/.test(utf8)
    ? new TextDecoder('windows-1252').decode(raw)
    : utf8
}
