import type { Fields } from './bound.ts'
import { block, line } from './clean.ts'
import { fold } from './names.ts'
import { indexNested, type NestedFacts } from './nested.ts'
import { isUnresolved } from './unresolved.ts'

const absent = new Set(['', 'null', 'none', 'undefined', 'nil', 'n/a'])

/** Whether a text only says that there is no value. */
export const isAbsent = (text: string): boolean =>
  text.length <= 9 && absent.has(text.trim().toLowerCase())

export interface Reader {
  /** The first value under the names that `accept` makes something of: at the root, best name first, then below it. */
  find<T>(names: readonly string[], accept: (value: unknown) => T | null): T | null
  /** Every value found under the names, in the same order. */
  values(names: readonly string[]): unknown[]
  /** The first usable one-line text. */
  text(names: readonly string[], max: number): string | null
  /** As `text`, for titles: leftover variables inside it are no reason to drop it. */
  title(names: readonly string[], max: number): string | null
  /** The first usable text of several lines. */
  prose(names: readonly string[], max: number): string | null
}

/** Reads facts out of a payload whatever the case, separators and types of its fields, at most two levels down. */
export function createReader(fields: Fields): Reader {
  const index = indexByFold(fields)
  let nested: NestedFacts | undefined
  function find<T>(names: readonly string[], accept: (value: unknown) => T | null): T | null {
    const paths = pathsOf(names)
    for (const { name, root, path } of paths) {
      if (path.length === 0 && Object.hasOwn(fields, name)) {
        const found = accept(fields[name])
        if (found !== null) return found
      }
      for (const value of index.get(root) ?? []) {
        const found = accept(path.length === 0 ? value : stepInside(value, path))
        if (found !== null) return found
      }
    }
    nested ??= indexNested(fields)
    if (nested.size === 0) return null
    for (const { folded } of paths)
      for (const value of nested.get(folded) ?? []) {
        const found = accept(value)
        if (found !== null) return found
      }
    return null
  }
  const first = (
    names: readonly string[],
    prose: boolean,
    clean: (text: string) => string
  ): string | null =>
    find(names, value => {
      const text = scalarText(value)
      if (text === null || isUnresolved(text, prose)) return null
      const cleaned = clean(text)
      return isAbsent(cleaned) ? null : cleaned
    })
  return {
    find,
    values(names) {
      const found: unknown[] = []
      find(names, value => {
        if (value !== undefined) found.push(value)
        return null
      })
      return found
    },
    text: (names, max) => first(names, false, text => line(text, max)),
    title: (names, max) => first(names, true, text => line(text, max)),
    prose: (names, max) => first(names, true, text => block(text, max))
  }
}

/** The text of a scalar or of a list of scalars; null for anything that says nothing. */
export function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return isAbsent(value) ? null : value
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || !Number.isInteger(value)
      ? String(value)
      : BigInt(value).toString()
  if (typeof value === 'boolean') return String(value)
  if (!Array.isArray(value) || value.length > 1_000) return null
  const parts = value
    .filter(item => typeof item !== 'object')
    .map(item => scalarText(item))
    .filter(item => item !== null)
  return parts.length > 0 ? parts.join(', ') : null
}

interface NamePath {
  readonly name: string
  readonly root: string
  readonly path: readonly string[]
  /** The whole name without its dots, as it is found below the root. */
  readonly folded: string
}
const paths = new WeakMap<readonly string[], readonly NamePath[]>()

/** The names taken apart, once for each of the lists in names.ts. */
function pathsOf(names: readonly string[]): readonly NamePath[] {
  const known = paths.get(names)
  if (known) return known
  const made = names.map(name => {
    const [root = '', ...path] = name.split('.')
    return { name, root: fold(root), path, folded: fold(name) }
  })
  paths.set(names, made)
  return made
}

function indexByFold(fields: Fields): Map<string, unknown[]> {
  const index = new Map<string, unknown[]>()
  for (const [key, value] of Object.entries(fields)) {
    const name = fold(key)
    const values = index.get(name)
    if (key === '__proto__') continue
    if (values) values.push(value)
    else if (name !== '') index.set(name, [value])
  }
  return index
}

function stepInside(value: unknown, path: readonly string[]): unknown {
  let here = value
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined
    const inside = here as Fields
    const key = Object.hasOwn(inside, step)
      ? step
      : Object.keys(inside).find(name => fold(name) === fold(step))
    if (key === undefined) return undefined
    here = inside[key]
  }
  return here
}
