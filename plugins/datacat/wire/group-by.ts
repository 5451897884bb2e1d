import type { GroupBy } from '../store/chart/selection.ts'

/** A path into the current state, or `tag:KEY`, or `tag:*` for whole sets of tags. */
export function readGroupBy(text: string | undefined): GroupBy | null {
  if (text === undefined) return null
  if (!text.startsWith('tag:') || text === 'tag:') return { kind: 'path', path: text }
  const key = text.slice('tag:'.length)
  return { kind: 'tag', key: key === '*' ? null : key }
}
