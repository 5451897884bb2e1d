import { invalid } from '../../../core/index.ts'
import { maxDepth } from './limits.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export interface JsonObject {
  [key: string]: Json
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Throws a 400 that names the place when a value is nested too deep or holds a number no float64 can say. */
export function checkJson(value: Json, pointer: string): void {
  const fault = faultOf(value, 1)
  if (fault) throw invalid(`${pointer}${fault.at}`.slice(0, 200), fault.message)
}

/** The place of the first fault, as a pointer from the value; it is written only where there is one. */
function faultOf(value: Json, depth: number): { at: string; message: string } | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value)
      ? undefined
      : { at: '', message: 'is a number outside the range of float64' }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > maxDepth) return { at: '', message: `is nested deeper than ${maxDepth} levels` }
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
  for (const key of keys) {
    const fault = faultOf((value as Record<string | number, Json>)[key] as Json, depth + 1)
    if (fault) return { ...fault, at: `/${key}${fault.at}` }
  }
  return undefined
}

/** JSON text with the keys of every object in byte order, as the first version writes it. */
export function stringify(value: Json): string {
  if (typeof value !== 'object' || value === null)
    return Object.is(value, -0) ? '-0' : JSON.stringify(value)
  if (Array.isArray(value))
    return value.every(isPlainScalar)
      ? JSON.stringify(value)
      : `[${value.map(stringify).join(',')}]`
  return `{${sortedKeys(value)
    .map(key => `${JSON.stringify(key)}:${stringify(value[key] as Json)}`)
    .join(',')}}`
}

/** What `JSON.stringify` writes as it is: its way with long arrays is the fast one. */
const isPlainScalar = (value: Json): boolean =>
  (typeof value !== 'object' || value === null) && !Object.is(value, -0)

const surrogate = /[\ud800-\udfff]/
function sortedKeys(value: JsonObject): string[] {
  const keys = Object.keys(value)
  if (keys.length < 2) return keys
  return keys.some(key => surrogate.test(key))
    ? keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    : keys.sort()
}
