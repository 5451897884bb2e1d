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
  const { keys, spellings, hasFolders } = indexRoot(fields)
  let nested: NestedFacts | undefined
  function find<T>(names: readonly string[], accept: (value: unknown) => T | null): T | null {
    const paths = pathsOf(names)
    for (const { name, first, path } of paths) {
      const key = keys.get(first)
      if (key === undefined) continue
      const same = spellings.get(first)
      for (const spelled of same === undefined ? [key] : exactFirst(same, name)) {
        const value = path.length === 0 ? fields[spelled] : stepInside(fields[spelled], path)
        const found = accept(value)
        if (found !== null) return found
      }
    }
    if (!hasFolders) return null
    nested ??= indexNested(fields)
    for (const { folded } of paths)
      for (const value of nested.get(folded) ?? none) {
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
  readonly first: string
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
    const [first = '', ...path] = name.split('.')
    return { name, first: fold(first), path, folded: fold(name) }
  })
  paths.set(names, made)
  return made
}

const none: readonly never[] = []

const exactFirst = (keys: readonly string[], asked: string): readonly string[] =>
  keys.includes(asked) ? [asked, ...keys.filter(key => key !== asked)] : keys

/** The keys of the root by folded name, the names that are spelled in several ways, and whether anything is below. */
function indexRoot(fields: Fields): {
  readonly keys: ReadonlyMap<string, string>
  readonly spellings: ReadonlyMap<string, readonly string[]>
  readonly hasFolders: boolean
} {
  const keys = new Map<string, string>()
  let spellings: Map<string, string[]> | undefined
  let hasFolders = false
  for (const key of Object.keys(fields)) {
    if (key === '__proto__') continue
    const value = fields[key]
    if (typeof value === 'object' && value !== null) hasFolders = true
    const name = fold(key)
    const before = keys.get(name)
    if (before === undefined) keys.set(name, key)
    else {
      spellings ??= new Map()
      spellings.set(name, [...(spellings.get(name) ?? [before]), key])
    }
  }
  keys.delete('')
  return { keys, spellings: spellings ?? noSpellings, hasFolders }
}
const noSpellings: ReadonlyMap<string, readonly string[]> = new Map()

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
