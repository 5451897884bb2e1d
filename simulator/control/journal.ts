/** One request of the data plane as it was answered. */
export interface JournalEntry {
  readonly n: number
  readonly at: number
  readonly account: string | null
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: unknown
  readonly op: string | null
  readonly status: number
  readonly bytes: number
  readonly ms: number
  readonly unknown_route?: true
  readonly fault?: string
}
const KEPT = 20_000
const KEPT_IDS = 200_000

/** What was asked, newest last; the oldest entries go first when there are many. */
export function createJournal() {
  let entries: JournalEntry[] = []
  let n = 0
  let returned = new Set<string>()
  return {
    add(entry: Omit<JournalEntry, 'n'>): void {
      entries.push({ n: ++n, ...entry })
      if (entries.length > KEPT * 2) entries = entries.slice(-KEPT)
    },
    /** Keeps the ids an answer held, so that a grader can ask whether a cited one was ever shown. */
    noteIds(body: string): void {
      if (returned.size > KEPT_IDS) returned = new Set()
      for (const [, text, number] of body.matchAll(
        /"(?:id|event_id|trace_id)":(?:"([^"]{1,80})"|(\d{1,20}))/g
      ))
        returned.add(text ?? number ?? '')
    },
    returned: (id: string): boolean => returned.has(id),
    all: (): readonly JournalEntry[] => entries.slice(-KEPT),
    reset(): void {
      entries = []
      n = 0
      returned = new Set()
    }
  }
}
export type Journal = ReturnType<typeof createJournal>
