import { isObject, stringify, type Json } from './json.ts'
import { maxFoundElements } from './limits.ts'

/**
 * One value of a state as a filter asks for it: its path, and whether it is an element of the array
 * there. An array is a leaf, and each of its different scalar elements another, up to 1,000.
 */
export interface Leaf {
  readonly path: string
  readonly element: boolean
  readonly value: string
}

/** How a filter says a value: text as it is, everything else as JSON with sorted keys. */
const valueText = (value: Json): string => (typeof value === 'string' ? value : stringify(value))

const isScalar = (value: Json): boolean => typeof value !== 'object' || value === null

/** The texts of the different elements of an array that a filter can find. */
function foundElements(array: readonly Json[]): Set<string> {
  const [seen, found] = [new Set<Json>(), new Set<string>()]
  for (const element of array) {
    if (!isScalar(element) || seen.has(element)) continue
    seen.add(element)
    found.add(valueText(element))
    if (found.size === maxFoundElements) break
  }
  return found
}

/** Adds every leaf of a value that stands at a path. */
export function addLeaves(value: Json, path: string, found: Leaf[]): void {
  if (isObject(value)) {
    for (const key of Object.keys(value)) addLeaves(value[key] as Json, `${path}.${key}`, found)
    return
  }
  found.push({ path, element: false, value: valueText(value) })
  if (!Array.isArray(value)) return
  for (const text of foundElements(value)) found.push({ path, element: true, value: text })
}

/** What a value takes of the limits of a state. */
export interface Size {
  /** Of its JSON text, with a comma behind every entry. */
  readonly bytes: number
  /** Its leaves. */
  readonly values: number
}

/** The bytes of a key with its colon and comma. */
export const keyBytes = (key: string): number => Buffer.byteLength(JSON.stringify(key)) + 2

/** How much of a state a value is. */
export function sizeOf(value: Json): Size {
  if (!isObject(value)) {
    const elements = Array.isArray(value) ? foundElements(value).size : 0
    return { bytes: Buffer.byteLength(stringify(value)), values: 1 + elements }
  }
  let [bytes, values] = [2, 0]
  for (const key of Object.keys(value)) {
    const inner = sizeOf(value[key] as Json)
    bytes += keyBytes(key) + inner.bytes
    values += inner.values
  }
  return { bytes, values }
}
