import { decodeText } from './charset.ts'
import { isForm, jsonAmong, jsonOfForm, looksLikeForm, readForm } from './form.ts'
import { header, type Headers } from './headers.ts'
import { parseDocuments, type Parsed } from './json.ts'
import { readMultipart } from './multipart.ts'
import { unpack } from './unpack.ts'
import type { Fields } from './bound.ts'

/** A decoded body; `problem` says why it was not plain JSON or a plain form. */
export interface Decoded {
  readonly value: unknown
  /** Characters of the text, after unpacking. */
  readonly size: number
  readonly problem: string | null
  /** Text that stood before the JSON. */
  readonly preface?: string
  /** Further documents of the same body: they are named and not read. */
  readonly others?: readonly unknown[]
}

/**
 * Turns the bytes of any body into data: JSON of any content type, a form, parts, repaired JSON, or else the text
 * itself.
 */
export function decode(raw: Uint8Array, headers: Headers): Decoded {
  const { bytes, problem } = unpack(raw, headers)
  if (bytes === undefined) return { value: null, problem, size: 0 }
  const contentType = header(headers, 'content-type')
  const decoded = decodeBytes(bytes, contentType)
  return problem === null ? decoded : { ...decoded, problem: problemsOf(problem, decoded) }
}

const problemsOf = (problem: string, { problem: other }: Decoded): string =>
  other === null ? problem : `${problem}; ${other}`

type Found = Omit<Decoded, 'size'>

function decodeBytes(bytes: Uint8Array, contentType: string): Decoded {
  const text = decodeText(bytes, contentType.toLowerCase()).trim()
  return { ...decodeWords(text, contentType), size: text.length }
}

function decodeWords(text: string, contentType: string): Found {
  if (/^[[{]/.test(text)) return orText(parseDocuments(text), text)
  if (/^\0*$/.test(text)) return { value: null, problem: 'the body is empty' }
  const fields = readMultipart(text, contentType)
  if (fields) return readFields(fields)
  if (isForm(contentType.toLowerCase()))
    return decodeForm(text) ?? { value: text, problem: 'the form has no fields' }
  const parsed = parseDocuments(text)
  if (parsed.value !== undefined) return orText(parsed, text)
  return (looksLikeForm(text) ? decodeForm(text) : undefined) ?? orText(parsed, text)
}

const orText = (parsed: Parsed, text: string): Found =>
  parsed.value === undefined ? { value: text, problem: parsed.problem } : parsed

/** Flat fields, or the JSON that one of them holds; undefined when there is no field. */
function decodeForm(text: string): Found | undefined {
  const json = jsonOfForm(text)
  if (json !== undefined) {
    const parsed = parseDocuments(json)
    if (isObject(parsed.value)) return parsed
  }
  const fields = readForm(text)
  return Object.keys(fields).length > 0 ? readFields(fields) : undefined
}

function readFields(fields: Fields): Found {
  const json = jsonAmong(fields)
  const parsed = json === undefined ? undefined : parseDocuments(json.trim())
  return parsed && isObject(parsed.value) ? parsed : { value: fields, problem: null }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
