import { isObject, stringify, type Json, type JsonObject } from './json.ts'

/** One leaf that a patch took away or brought. Arrays are a leaf and each of their scalar elements another. */
export interface Leaf {
  readonly path: string
  readonly element: boolean
  readonly value: string
}
export interface LeafChanges {
  readonly gone: Leaf[]
  readonly come: Leaf[]
}

/** An object on which `__proto__` is a key like any other. */
const bare = (from: JsonObject): JsonObject =>
  Object.assign(Object.create(null) as JsonObject, from)

/**
 * Merges a patch over a state: objects key by key, everything else (also arrays and null) replaces.
 * Neither argument changes;
 * `changes` collects the leaves that went and came, for the filters.
 */
export function merge(
  state: JsonObject,
  patch: JsonObject,
  changes?: LeafChanges,
  path = ''
): JsonObject {
  const merged = bare(state)
  for (const key of Object.keys(patch)) {
    const [old, value] = [own(state, key), patch[key] as Json]
    const where = path === '' ? key : `${path}.${key}`
    if (isObject(old) && isObject(value)) merged[key] = merge(old, value, changes, where)
    else {
      merged[key] = value
      if (changes && old !== undefined) leaves(old, where, changes.gone)
      if (changes) leaves(value, where, changes.come)
    }
  }
  return merged
}

const own = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined

/** How a filter says a value: text as it is, everything else as JSON with sorted keys. */
const valueText = (value: Json): string => (typeof value === 'string' ? value : stringify(value))

function leaves(value: Json, path: string, found: Leaf[]): void {
  if (isObject(value)) {
    for (const key of Object.keys(value)) leaves(value[key] as Json, `${path}.${key}`, found)
    return
  }
  found.push({ path, element: false, value: valueText(value) })
  if (Array.isArray(value))
    for (const element of value)
      if (typeof element !== 'object' || element === null)
        found.push({ path, element: true, value: valueText(element) })
}
