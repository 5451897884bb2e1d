import { maskLine } from './mask-line.ts'
import { mergeTemplates, type Draft } from './merge-templates.ts'

/** Lines of one shape. */
export interface LogTemplate {
  /** The constant words with `<*>` for values, separated by single spaces. */
  readonly text: string
  readonly count: number
  /** Index of the first line that has it. */
  readonly firstLine: number
}
export interface MinedLogs {
  /** In the order of their first lines. */
  readonly templates: readonly LogTemplate[]
  /** For each line the index of its template. */
  readonly templateOf: Uint32Array
}

/**
 * Groups log lines by shape, with one configuration for every system: mask what looks like a value,
 * then merge shapes that differ in values masking cannot know. One pass over the lines, and one
 * over the far fewer shapes.
 */
export function mineLogs(lines: readonly string[]): MinedLogs {
  const rawOf = new Uint32Array(lines.length)
  const raw: { tokens: string[]; count: number; firstLine: number }[] = []
  const byKey = new Map<string, number>()
  const byLine = new Map<string, number>()
  lines.forEach((line, index) => {
    let id = byLine.get(line)
    if (id === undefined) {
      const tokens = maskLine(line)
      const key = tokens.join(' ')
      id = byKey.get(key)
      if (id === undefined) {
        id = raw.length
        byKey.set(key, id)
        raw.push({ tokens, count: 0, firstLine: index })
      }
      byLine.set(line, id)
    }
    const shape = raw[id]
    if (shape) shape.count += 1
    rawOf[index] = id
  })
  return numbered(raw, rawOf)
}

/** Merges the raw shapes and numbers the templates by their first line. */
function numbered(
  raw: readonly { tokens: string[]; count: number; firstLine: number }[],
  rawOf: Uint32Array
): MinedLogs {
  const drafts: Draft[] = raw.map(({ tokens, count }, id) => ({ tokens, count, members: [id] }))
  const firstLineOf = ({ members }: Draft): number =>
    members.reduce((first, member) => Math.min(first, raw[member]?.firstLine ?? first), Infinity)
  const merged = mergeTemplates(drafts)
    .map(draft => ({ draft, firstLine: firstLineOf(draft) }))
    .sort((a, b) => a.firstLine - b.firstLine)
  const finalOf = new Uint32Array(raw.length)
  merged.forEach(({ draft }, id) => {
    for (const member of draft.members) finalOf[member] = id
  })
  return {
    templates: merged.map(({ draft, firstLine }) => ({
      text: draft.tokens.join(' '),
      count: draft.count,
      firstLine
    })),
    templateOf: rawOf.map(id => finalOf[id] ?? 0)
  }
}
