import { invalid } from '../../../core/index.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export interface JsonObject {
  [key: string]: Json
}

/** Levels of objects and arrays a body may have; far under what any parser of a reader refuses. */
const maxDepth = 100

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Throws a 400 that names the place when a value is nested too deep or holds a number no float64 can say. */
export function checkJson(value: Json, pointer: string, depth = 1): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw invalid(pointer, 'is a number outside the range of float64')
  if (typeof value !== 'object' || value === null) return
  if (depth > maxDepth)
    throw invalid(pointer.slice(0, 200), `is nested deeper than ${maxDepth} levels`)
  if (Array.isArray(value))
    for (let n = 0; n < value.length; n++) checkJson(value[n] as Json, `${pointer}/${n}`, depth + 1)
  else
    for (const key of Object.keys(value))
      checkJson(value[key] as Json, `${pointer}/${key}`, depth + 1)
}

/** JSON text with the keys of every object in byte order, as the first version writes it. */
export function stringify(value: Json): string {
  if (typeof value !== 'object' || value === null)
    return Object.is(value, -0) ? '-0' : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`
  return `{${sortedKeys(value)
    .map(key => `${JSON.stringify(key)}:${stringify(value[key] as Json)}`)
    .join(',')}}`
}

const surrogate = /[\ud800-\udfff]/
function sortedKeys(value: JsonObject): string[] {
  const keys = Object.keys(value)
  if (keys.length < 2) return keys
  return keys.some(key => surrogate.test(key))
    ? keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    : keys.sort()
}
