import type { Meaning } from './code-meaning.ts'
import { isCosmeticLine, type Hunk } from './read-diff.ts'

const emptyContainer =
  /=\s*(?:\[\]|\{\}|new (?:\w*Map|\w*Set|Array|\w*List|\w*Queue|Object)\b|make\(|map\[|dict\(|list\(|set\(|defaultdict|deque\(\)|&?sync\.Map)|(?:\[\]|map\[\w+\])[\w.*]+\s*(?:$|=)|\bsync\.Map\b|\bGrowable|:\s*(?:list|dict|set)\[/
const declaration =
  /^(?:export\s+)?(?:(?:public|private|protected|internal|static|final|readonly|var|let|const|val|global)\s+)*(?:[A-Z][\w.<>, ]*\s+)?(?:this\.|self\.|cls\.)?([A-Za-z_]\w*)\b/
const bound =
  /evict|\.delete\(|\bdelete[ (]|\.remove\w*\(|\bttl\b|expir|\blru\b|max_?(?:entries|size|items|len)|maxlen|clear\(|\.shift\(|\.pop\w*\(|trim|truncate|slice\(-|\[-?\d*:\]|flush|drain|\bring/i

/**
 * Containers that outlive a request and to which each one adds, while nothing takes away: declared
 * outside of functions, or as a field, in the same change or just above it.
 */
export function unboundedGrowth(hunks: readonly Hunk[]): Meaning[] {
  const added = hunks.flatMap(hunk => hunk.added).filter(line => !isCosmeticLine(line))
  if (added.some(line => bound.test(line))) return []
  const names = new Set(hunks.flatMap(longLived))
  for (const line of added) {
    const name = grownIn(line)
    if (name !== undefined && names.has(name))
      return [
        {
          mechanism: 'growth_added',
          strength: 1,
          text: `keeps in ${name} what nothing removes: ${line.slice(0, 70)}`
        }
      ]
  }
  return []
}

/** The containers a hunk declares where they live on: at the margin of the file, or as fields. */
const longLived = ({ lines }: Hunk): string[] =>
  lines.flatMap(line => {
    if (line.startsWith('-')) return []
    const text = line.replace(/^[+ ]/, '')
    const lives =
      /^\S/.test(text) || /^\s+(?:this\.|self\.|(?:private|public|protected|static)\b)/.test(text)
    const name = lives && emptyContainer.test(text) ? declaration.exec(text.trim())?.[1] : undefined
    return name === undefined ? [] : [name]
  })

/** The container that a line adds to, without its owner: `history` in `this.history.push(x)`. */
const grownIn = (line: string): string | undefined =>
  /([A-Za-z_]\w{0,80})\.(?:push|append|add\w{0,40}|put|set|store|offer|enqueue|unshift|extend|insert|computeIfAbsent)\(/i.exec(
    line
  )?.[1] ??
  /([A-Za-z_]\w{0,80})\[[^\]]{1,200}\]\s{0,8}(?:=[^=]|\+=)/.exec(line)?.[1] ??
  /([A-Za-z_]\w{0,80})\s{0,8}=\s{0,8}append\(/.exec(line)?.[1] ??
  /([A-Za-z_]\w{0,80})\s{0,8}\+=\s{0,8}\[/.exec(line)?.[1]
