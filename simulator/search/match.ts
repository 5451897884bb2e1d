import type { SearchNode } from './query.ts'

/** What a search is evaluated on; `undefined` from any of these means "not known yet", never "absent". */
export interface Searchable {
  words(): string | undefined
  values(key: string): readonly string[] | undefined
  attribute(path: readonly string[]): { readonly value: unknown } | undefined
}

/** Whether the query holds, or undefined when that depends on what is not known (Kleene's logic). */
export function matches(node: SearchNode, item: Searchable): boolean | undefined {
  switch (node.kind) {
    case 'all':
      return true
    case 'text': {
      const words = item.words()
      return words === undefined ? undefined : node.test(words)
    }
    case 'field':
      return item.values(node.key)?.some(node.test)
    case 'attribute': {
      const found = item.attribute(node.path)
      return found && holds(found.value, node.test)
    }
    case 'not': {
      const inner = matches(node.inner, item)
      return inner === undefined ? undefined : !inner
    }
    case 'and':
    case 'or': {
      const decisive = node.kind === 'or'
      let open = false
      for (const part of node.parts) {
        const result = matches(part, item)
        if (result === decisive) return decisive
        open ||= result === undefined
      }
      return open ? undefined : !decisive
    }
  }
}

function holds(value: unknown, test: (text: string) => boolean): boolean {
  if (value === undefined || value === null) return false
  return Array.isArray(value)
    ? value.some(one => holds(one, test))
    : typeof value !== 'object' && test(String(value as string | number | boolean))
}

/** Reads `a.b.c` in nested objects, or a key that is itself written with dots. */
export function readPath(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Record<string, unknown>
  for (let length = path.length; length > 0; length--) {
    const key = path.slice(0, length).join('.')
    if (Object.hasOwn(record, key)) return readPath(record[key], path.slice(length))
  }
  return undefined
}

const indexes = new WeakMap<readonly string[], Map<string, string[]>>()
/** The values of a tag key in a tag list; lists are indexed once, so share them. */
export function tagValues(tags: readonly string[], key: string): readonly string[] {
  let index = indexes.get(tags)
  if (!index) {
    index = new Map()
    for (const tag of tags) {
      const colon = tag.indexOf(':')
      if (colon < 0) continue
      const name = tag.slice(0, colon).toLowerCase()
      index.set(name, [...(index.get(name) ?? []), tag.slice(colon + 1)])
    }
    indexes.set(tags, index)
  }
  return index.get(key) ?? []
}
