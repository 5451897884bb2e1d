import { ApiError, refuse } from '../routes/api-error.ts'
import { matches, tagValues } from '../search/match.ts'
import { parseSearch, wordsOf, type SearchNode } from '../search/query.ts'

/** Commas join like AND, `!` negates like `-`; what stands in quotes stays as it is. */
const asSearch = (scope: string): string =>
  scope
    .split(/("[^"]*")/)
    .map((part, i) => (i % 2 === 1 ? part : part.replaceAll(',', ' AND ').replaceAll('!', '-')))
    .join('')

function parseScope(scope: string): SearchNode {
  try {
    return parseSearch(asSearch(scope))
  } catch (error) {
    if (error instanceof ApiError) throw refuse(400, 'Invalid scope parameter')
    throw error
  }
}

/** Whether every condition has a key: a bare word would mute everything. */
function hasKeys(node: SearchNode): boolean {
  switch (node.kind) {
    case 'field':
      return true
    case 'not':
      return hasKeys(node.inner)
    case 'and':
    case 'or':
      return node.parts.every(hasKeys)
    default:
      return false
  }
}

/**
 * A scope as it may be stored: `*`, or conditions such as `env:prod`, `env:(a OR b)`, joined by AND, OR, NOT and
 * commas.
 */
export function checkedScope(scope: unknown): string {
  if (typeof scope !== 'string' || scope.trim() === '') throw refuse(400, 'Invalid scope parameter')
  if (scope.trim() !== '*' && !hasKeys(parseScope(scope)))
    throw refuse(400, 'All values must have a key')
  return scope
}

/** True when the scope covers a group with these tags. */
export function covers(scope: string, tags: readonly string[]): boolean {
  if (scope.trim() === '*') return true
  const item = {
    words: () => wordsOf(''),
    values: (key: string) => tagValues(tags, key),
    attribute: () => ({ value: undefined })
  }
  return matches(parseScope(scope), item) === true
}
