import { notebookMarker } from '../../plugins/rca/service/notebook.ts'
import { askDatabase } from '../process/product.ts'
import type { Sent } from './poster.ts'
import type { Notebook } from './simulated-datadog.ts'

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
  /** Finished analyses whose notebook the simulator does not hold, or that share one with another analysis. */
  readonly notebookLost: readonly string[]
  /** Notebooks beyond one for each analysis of their marker. */
  readonly notebookTwice: readonly string[]
  readonly resumed: number
}

interface EventRow {
  readonly id: string
  readonly key: string
}
interface AnalysisRow {
  readonly id: string
  readonly status: string
  readonly attempt: number
  readonly key: string
  readonly account: string | null
  readonly notebook: { id: string } | null
}

const count = <T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> => {
  const found = new Map<string, T[]>()
  for (const row of rows) {
    const group = found.get(keyOf(row))
    if (group) group.push(row)
    else found.set(keyOf(row), [row])
  }
  return found
}

const cycleKey = "convert_from(raw, 'UTF8')::json->>'alert_cycle_key'"

const storedEvents = (home: string, prefix: string): Promise<EventRow[]> =>
  askDatabase<EventRow>(
    home,
    `select event_id as id, ${cycleKey} as key from webhooks_bodies where starts_with(${cycleKey}, $1)`,
    [prefix]
  )

/** Acknowledged alerts that the database does not hold. */
export async function missingEvents(
  home: string,
  prefix: string,
  sent: readonly Sent[]
): Promise<string[]> {
  const stored = count(await storedEvents(home, prefix), row => row.key)
  return sent
    .filter(alert => alert.eventId !== undefined && !stored.has(alert.key))
    .map(alert => alert.key)
}

/** Counts from the database and the notebooks of the simulator, alert by alert. */
export async function countOutcome(
  home: string,
  prefix: string,
  sent: readonly Sent[],
  notebooks: readonly Notebook[]
): Promise<Outcome> {
  const events = count(await storedEvents(home, prefix), row => row.key)
  const rows = await askDatabase<AnalysisRow>(
    home,
    `select a.id, a.status, a.attempt, a.account, a.notebook, ${cycleKey} as key
    from rca_analyses a
    join webhooks_bodies b on b.event_id = a.event_id
    where starts_with(${cycleKey}, $1)`,
    [prefix]
  )
  const analyses = count(rows, row => row.key)
  const acknowledged = sent.filter(alert => alert.eventId !== undefined)
  const keys = acknowledged.map(alert => alert.key)
  return {
    acknowledged: keys.length,
    missing: keys.filter(key => !events.has(key)),
    storedTwice: [...events].filter(([, found]) => found.length > 1).map(([key]) => key),
    wrongId: acknowledged
      .filter(
        alert => events.has(alert.key) && String(alert.eventId) !== events.get(alert.key)?.[0]?.id
      )
      .map(alert => alert.key),
    notAnalysed: keys.filter(key => !analyses.has(key)),
    analysedTwice: [...analyses].filter(([, found]) => found.length > 1).map(([key]) => key),
    notDone: rows.filter(row => row.status !== 'done').map(row => `${row.key} (${row.status})`),
    ...countNotebooks(rows, notebooks),
    resumed: rows.filter(row => row.attempt > 1).length
  }
}

/** Each analysis must hold a notebook of its own, and each marker stand on no more notebooks than analyses own it. */
function countNotebooks(
  rows: readonly AnalysisRow[],
  notebooks: readonly Notebook[]
): Pick<Outcome, 'notebookLost' | 'notebookTwice'> {
  const refer = (account: string | null, id: string | undefined): string =>
    `${account ?? ''}/${id ?? ''}`
  const held = new Set(notebooks.map(notebook => refer(notebook.account, notebook.id)))
  const shared = count(rows, row => refer(row.account, row.notebook?.id))
  const lost = rows.filter(
    row =>
      row.status === 'done' &&
      (!held.has(refer(row.account, row.notebook?.id)) ||
        (shared.get(refer(row.account, row.notebook?.id))?.length ?? 0) > 1)
  )
  const markerOf = (notebook: Notebook): string =>
    /\[rayne:[0-9a-z]+\]/.exec(notebook.name)?.[0] ?? ''
  const markers = count(
    notebooks.filter(notebook => markerOf(notebook) !== ''),
    markerOf
  )
  const owners = count(rows, row => notebookMarker(row.id))
  const twice = [...markers].filter(
    ([marker, found]) => owners.has(marker) && found.length > (owners.get(marker)?.length ?? 0)
  )
  return { notebookLost: lost.map(row => row.key), notebookTwice: twice.map(([marker]) => marker) }
}

/** True when every acknowledged alert is there and was analysed exactly once, with its notebook. */
export const isClean = (outcome: Outcome): boolean =>
  [
    outcome.missing,
    outcome.storedTwice,
    outcome.wrongId,
    outcome.notAnalysed,
    outcome.analysedTwice,
    outcome.notDone,
    outcome.notebookLost
  ].every(list => list.length === 0)
