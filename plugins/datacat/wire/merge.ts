import { isObject, type Json, type JsonObject } from './json.ts'
import { addLeaves, keyBytes, sizeOf, type Leaf } from './leaves.ts'

/** A state in memory that is merged in place, and what it takes of the limits. */
export interface StateTree {
  readonly root: JsonObject
  bytes: number
  values: number
}
/** What a merge did; `undo` makes it as it was, the latest merge first. */
export interface Merged {
  readonly gone: readonly Leaf[]
  readonly come: readonly Leaf[]
  undo(): void
}

/** A state out of its JSON text. */
export function treeOf(text: string): StateTree {
  const root = JSON.parse(text) as JsonObject
  return { root, ...sizeOf(root) }
}

/**
 * Merges a patch into a state: objects key by key, everything else (also arrays and null) replaces.
 * The work is that of the patch and of what it replaces, whatever the size of the state; the patch
 * stays as it is.
 */
export function mergeInto(tree: StateTree, patch: JsonObject): Merged {
  const before = { bytes: tree.bytes, values: tree.values }
  const changes: Changes = { gone: [], come: [], replaced: [] }
  mergeObjects(tree, tree.root, patch, '', changes)
  return {
    gone: changes.gone,
    come: changes.come,
    undo() {
      for (const { object, key, old } of changes.replaced.reverse())
        if (old === undefined) delete object[key]
        else put(object, key, old)
      Object.assign(tree, before)
    }
  }
}

interface Changes {
  readonly gone: Leaf[]
  readonly come: Leaf[]
  readonly replaced: { readonly object: JsonObject; readonly key: string; readonly old?: Json }[]
}

function mergeObjects(
  tree: StateTree,
  object: JsonObject,
  patch: JsonObject,
  path: string,
  changes: Changes
): void {
  for (const key of Object.keys(patch)) {
    const old = Object.hasOwn(object, key) ? object[key] : undefined
    const value = patch[key] as Json
    const where = path === '' ? key : `${path}.${key}`
    if (isObject(old) && isObject(value)) mergeObjects(tree, old, value, where, changes)
    else {
      count(tree, key, old, value)
      if (old !== undefined) addLeaves(old, where, changes.gone)
      addLeaves(value, where, changes.come)
      changes.replaced.push(old === undefined ? { object, key } : { object, key, old })
      put(object, key, copyOf(value))
    }
  }
}

function count(tree: StateTree, key: string, old: Json | undefined, value: Json): void {
  const came = sizeOf(value)
  const went = old === undefined ? { bytes: -keyBytes(key), values: 0 } : sizeOf(old)
  tree.bytes += came.bytes - went.bytes
  tree.values += came.values - went.values
}

/** `__proto__` is a key like any other. */
function put(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, {
      value,
      configurable: true,
      enumerable: true,
      writable: true
    })
  else object[key] = value
}

/** Objects are merged into later and must not be the caller's; arrays are never changed. */
function copyOf(value: Json): Json {
  if (!isObject(value)) return value
  const copy: JsonObject = {}
  for (const key of Object.keys(value)) put(copy, key, copyOf(value[key] as Json))
  return copy
}
