import { askDatabase } from '../process/product.ts'
import type { Sent } from './poster.ts'

/** What became of the alerts of a run; every list names offenders, and should be empty. */
export interface Outcome {
  readonly acknowledged: number
  readonly missing: readonly string[]
  readonly storedTwice: readonly string[]
  /** Acknowledged with the id of another event. */
  readonly wrongId: readonly string[]
  readonly notAnalysed: readonly string[]
  readonly analysedTwice: readonly string[]
  readonly notDone: readonly string[]
  /** Finished analyses whose notebook the simulator does not hold. */
  readonly notebookLost: readonly string[]
  readonly notebookTwice: readonly string[]
  readonly resumed: number
}

interface EventRow { readonly id: string; readonly key: string }
interface AnalysisRow { readonly id: string; readonly event_id: string; readonly status: string; readonly attempt: number; readonly key: string; readonly notebook: { id: string } | null }

const count = <T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> => {
  const found = new Map<string, T[]>()
  for (const row of rows) found.set(keyOf(row), [...found.get(keyOf(row)) ?? [], row])
  return found
}

const storedEvents = (home: string, prefix: string): Promise<EventRow[]> =>
  askDatabase<EventRow>(home, "select id, alert->>'cycle_key' as key from webhooks_events where starts_with(alert->>'cycle_key', $1)", [prefix])

/** Acknowledged alerts that the database does not hold. */
export async function missingEvents(home: string, prefix: string, sent: readonly Sent[]): Promise<string[]> {
  const stored = count(await storedEvents(home, prefix), row => row.key)
  return sent.filter(alert => alert.eventId !== undefined && !stored.has(alert.key)).map(alert => alert.key)
}

/** Counts from the database and the notebooks of the simulator, alert by alert. */
export async function countOutcome(home: string, prefix: string, sent: readonly Sent[], notebooks: readonly string[]): Promise<Outcome> {
  const events = count(await storedEvents(home, prefix), row => row.key)
  const rows = await askDatabase<AnalysisRow>(home, "select a.id, a.event_id, a.status, a.attempt, a.notebook, e.alert->>'cycle_key' as key from rca_analyses a join webhooks_events e on e.id = a.event_id where starts_with(e.alert->>'cycle_key', $1)", [prefix])
  const analyses = count(rows, row => row.key)
  const markers = count(notebooks.flatMap(name => /\[rayne:([0-9a-f]{16})\]/.exec(name)?.[1] ?? []), marker => marker)
  const notebooksOf = (row: AnalysisRow): number => markers.get(row.id.replaceAll('-', '').slice(0, 16))?.length ?? 0
  const acknowledged = sent.filter(alert => alert.eventId !== undefined)
  const keys = acknowledged.map(alert => alert.key)
  return {
    acknowledged: keys.length,
    missing: keys.filter(key => !events.has(key)),
    storedTwice: [...events].filter(([, found]) => found.length > 1).map(([key]) => key),
    wrongId: acknowledged.filter(alert => events.has(alert.key) && String(alert.eventId) !== events.get(alert.key)?.[0]?.id).map(alert => alert.key),
    notAnalysed: keys.filter(key => !analyses.has(key)),
    analysedTwice: [...analyses].filter(([, found]) => found.length > 1).map(([key]) => key),
    notDone: rows.filter(row => row.status !== 'done').map(row => `${row.key} (${row.status})`),
    notebookLost: rows.filter(row => row.status === 'done' && notebooksOf(row) === 0).map(row => row.key),
    notebookTwice: rows.filter(row => notebooksOf(row) > 1).map(row => row.key),
    resumed: rows.filter(row => row.attempt > 1).length
  }
}

/** True when every acknowledged alert is there and was analysed exactly once, with its notebook. */
export const isClean = (outcome: Outcome): boolean =>
  [outcome.missing, outcome.storedTwice, outcome.wrongId, outcome.notAnalysed, outcome.analysedTwice, outcome.notDone, outcome.notebookLost].every(list => list.length === 0)
