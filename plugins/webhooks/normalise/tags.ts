import { line } from './clean.ts'
import { isAbsent } from './reader.ts'
import { isUnresolved } from './unresolved.ts'

const most = 2_000
const longest = 300

/**
 * Tags from a comma list, an array or a map, trimmed, without repeats, in order; only array elements may hold a
 * comma.
 */
export function readTags(sources: readonly unknown[]): string[] {
  for (const source of sources) {
    const tags = new Set<string>()
    for (const item of items(source)) {
      const tag = line(item, longest)
      if (!isAbsent(tag) && !isUnresolved(item.slice(0, longest), false)) tags.add(tag)
      if (tags.size >= most) break
    }
    if (tags.size > 0) return [...tags]
  }
  return []
}

/** The distinct values of `key:` in a tag list, in order. */
export function tagValues(tags: readonly string[], key: string): string[] {
  const start = `${key}:`
  const values = tags
    .filter(tag => tag.toLowerCase().startsWith(start))
    .map(tag => tag.slice(start.length).trim())
  return [...new Set(values.filter(value => !isAbsent(value)))]
}

function items(source: unknown): string[] {
  if (typeof source === 'string') return fromText(source.trim())
  if (Array.isArray(source)) return source.slice(0, most * 2).flatMap(element)
  if (typeof source === 'object' && source !== null)
    return Object.entries(source).flatMap(([key, value]) => pair(key, value))
  return []
}

function fromText(text: string): string[] {
  if (text.startsWith('[') && text.endsWith(']')) {
    try {
      const parsed: unknown = JSON.parse(text)
      if (Array.isArray(parsed)) return parsed.slice(0, most * 2).flatMap(element)
    } catch {
      return text
        .slice(1, -1)
        .split(',', most * 2)
        .map(item => item.trim().replace(/^(['"])(.*)\1$/, '$2'))
    }
  }
  return text.split(',', most * 2)
}

function element(item: unknown): string[] {
  if (typeof item === 'string') return [item]
  if (typeof item === 'number' || typeof item === 'boolean') return [String(item)]
  if (Array.isArray(item)) return item.length === 2 ? pair(String(item[0]), item[1]) : []
  if (typeof item !== 'object' || item === null) return []
  const { key, name, value } = item as Record<string, unknown>
  return pair(String(key ?? name ?? ''), value)
}

function pair(key: string, value: unknown): string[] {
  if (key === '' || typeof value === 'object' || value === undefined) return []
  return [`${key}:${String(value)}`]
}
