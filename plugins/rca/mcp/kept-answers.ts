import { randomUUID } from 'node:crypto'
import { minuteMs } from '../../../core/index.ts'

const keptMs = 15 * minuteMs
const maxChars = 32_000_000
const maxCharsOfOne = 4_000_000

interface Kept {
  readonly owner: string
  readonly pages: readonly string[]
  readonly chars: number
  readonly until: number
}

/** What did not fit into answers, for as long as a conversation needs it: 15 minutes, 32 MB in this process. */
export function createKeptAnswers(now: () => number = Date.now) {
  const kept = new Map<string, Kept>()
  let chars = 0
  const drop = (id: string): void => {
    chars -= kept.get(id)?.chars ?? 0
    kept.delete(id)
  }
  return {
    newId: (): string => randomUUID(),
    /** Keeps the first 4 MB of the pages; the oldest answers make room. */
    keep(id: string, owner: string, pages: readonly string[]): void {
      const taken: string[] = []
      let size = 0
      for (const page of pages) {
        if (size + page.length > maxCharsOfOne) break
        taken.push(page)
        size += page.length
      }
      kept.set(id, { owner, pages: taken, chars: size, until: now() + keptMs })
      chars += size
      for (const [old, { until }] of kept) {
        if (chars <= maxChars && until > now()) break
        drop(old)
      }
    },
    /** One page as JSON, counted from 1; undefined for what is gone, never was, or is another caller's. */
    page(id: string, owner: string, page: number): string | undefined {
      const found = kept.get(id)
      return found && found.owner === owner && found.until > now()
        ? found.pages[page - 1]
        : undefined
    }
  }
}
export type KeptAnswers = ReturnType<typeof createKeptAnswers>
