import type { Fields } from './bound.ts'
import { fold, isTellingName } from './names.ts'

/** Values by folded name, the nearest to the root first. */
export type NestedFacts = ReadonlyMap<string, readonly unknown[]>

// Folders that only wrap: what is inside counts as if it stood outside.
const wrappers = new Set(
  [
    'payload data metadata meta body message content detail details attributes custom customdetails extra context',
    'params variables webhook notification datadog result record fields',
    'labels commonlabels annotations commonannotations'
  ].flatMap(line => line.split(' '))
)
// Folders that are of the alert: their plain words count, but `id`, `name` and `type` are those of the folder.
const subjects = new Set(
  'alert monitor event incident check issue trigger state signal alarm problem'.split(' ')
)
const ownWords = new Set(['id', 'uuid', 'key', 'name', 'type', 'url', 'link', 'uid'])
const maxFolders = 50
const maxKeys = 2_000
const nothing: NestedFacts = new Map()

/**
 * What stands one and two levels below the root, under its own name where that may be, and joined to the name of its
 * folder: `alert.id` is found as `alert_id`, `monitor.name` as `monitor_name`, `data.alert.transition` as `transition`.
 * Of a list the first object counts.
 */
export function indexNested(root: Fields): NestedFacts {
  let facts: Map<string, unknown[]> | undefined
  let keysLeft = maxKeys
  const visit = (inside: Fields, path: readonly string[], open: boolean): [string, Fields][] => {
    const below: [string, Fields][] = []
    for (const [key, value] of Object.entries(inside)) {
      if (keysLeft-- <= 0) break
      const name = fold(key)
      for (const at of namesOf(path, name, open || isTellingName(key)))
        add((facts ??= new Map()), at, value)
      const folder = key === '__proto__' ? undefined : folderOf(value)
      if (folder) below.push([name, folder])
    }
    return below
  }
  const first = foldersOf(root)
  const second: [string[], Fields, boolean][] = []
  for (const [name, folder] of first)
    for (const [inner, inside] of visit(folder, [name], wrappers.has(name) || subjects.has(name)))
      if (second.length < maxFolders)
        second.push([
          [name, inner],
          inside,
          (wrappers.has(name) || subjects.has(name)) && (wrappers.has(inner) || subjects.has(inner))
        ])
  for (const [path, inside, open] of second) visit(inside, path, open)
  return facts ?? nothing
}

function foldersOf(root: Fields): [string, Fields][] {
  const found: [string, Fields][] = []
  for (const [key, value] of Object.entries(root)) {
    const folder = typeof value === 'object' ? folderOf(value) : undefined
    if (folder && key !== '__proto__') found.push([fold(key), folder])
    if (found.length >= maxFolders) break
  }
  return found
}

/** An object, or the first object of a list. */
function folderOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) return value as Fields
  const [first] = value
  return typeof first === 'object' && first !== null && !Array.isArray(first)
    ? (first as Fields)
    : undefined
}

/** The names under which a value is found; `open` says whether its own name counts there. */
function namesOf(path: readonly string[], name: string, open: boolean): string[] {
  const folder = path.at(-1) ?? ''
  const joined = path.map((_, at) => path.slice(at).join('') + name).reverse()
  const own = open && !(subjects.has(folder) && ownWords.has(name))
  return own ? [name, ...joined] : joined
}

function add(facts: Map<string, unknown[]>, name: string, value: unknown): void {
  if (name === '') return
  const values = facts.get(name)
  if (values) values.push(value)
  else facts.set(name, [value])
}
