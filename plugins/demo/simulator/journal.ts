/** One request of the data plane as it was answered. */
export interface JournalEntry {
  readonly n: number; readonly at: number; readonly account: string | null; readonly method: string; readonly path: string; readonly query: string
  readonly body: unknown; readonly op: string | null; readonly status: number; readonly bytes: number; readonly ms: number; readonly unknown_route?: true; readonly fault?: string
}
const KEPT = 20_000

/** What was asked, newest last; the oldest entries go first when there are many. */
export function createJournal() {
  let entries: JournalEntry[] = []
  let n = 0
  return {
    add(entry: Omit<JournalEntry, 'n'>): void {
      entries.push({ n: ++n, ...entry })
      if (entries.length > KEPT * 2) entries = entries.slice(-KEPT)
    },
    all: (): readonly JournalEntry[] => entries.slice(-KEPT),
    reset(): void { entries = []; n = 0 }
  }
}
export type Journal = ReturnType<typeof createJournal>
