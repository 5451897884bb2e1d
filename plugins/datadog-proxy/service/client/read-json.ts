import { epochMs, type EpochMs } from '../../../../core/index.ts'

type JsonObject = Readonly<Record<string, unknown>>

const exactIntegers = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' &&
  Number.isInteger(value) &&
  !Number.isSafeInteger(value) &&
  /^-?\d+$/.test(context?.source ?? '')
    ? context?.source
    : value

// Long digits inside strings are common and harmless; only a bare number needs the slow way.
const bareLongInteger = /[:[,]\s*-?\d{16}/

/** JSON with every integer beyond 2^53 as its digits (ids would be rounded otherwise); throws SyntaxError. */
export const parseJson = (text: string): unknown =>
  bareLongInteger.test(text) || /^\s*-?\d{16}/.test(text)
    ? JSON.parse(text, exactIntegers)
    : JSON.parse(text)

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** The object itself, or an empty one. */
export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
/** A text that says something, else undefined. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
/** An id as text, however it was sent. */
export const idOf = (value: unknown): string | undefined =>
  typeof value === 'number' ? String(value) : textOf(value)
/** The distinct texts of a list, in order: Datadog repeats tags. */
export const textsOf = (value: unknown): string[] => [
  ...new Set(listOf(value).filter(item => typeof item === 'string'))
]
/** Epoch milliseconds of an ISO text or a number that already is one. */
export function timeOf(value: unknown): EpochMs | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : (numberOf(value) ?? NaN)
  return Number.isFinite(time) ? epochMs(time) : undefined
}
/** The value of the first `key:value` tag. */
export const tagOf = (tags: readonly string[], key: string): string | undefined =>
  textOf(tags.find(tag => tag.startsWith(`${key}:`))?.slice(key.length + 1))

/** Leaves out the undefined entries, so optional fields are absent rather than undefined. */
export const defined = <T extends Record<string, unknown>>(
  fields: T
): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
