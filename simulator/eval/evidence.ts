import type { Evidence } from '../scenarios/truth.ts'
import type { CitedRow } from './verdict.ts'

/** How many of the groups of evidence are cited: one of its pieces is enough. */
export const evidenceShown = (
  cited: readonly CitedRow[],
  groups: readonly (readonly Evidence[])[]
): number =>
  groups.filter(group => group.some(wanted => cited.some(row => shows(row, wanted)))).length

/** True when a row is the event, a line that the query finds, a series of the metric, or the monitor. */
function shows(row: CitedRow, wanted: Evidence): boolean {
  switch (wanted.kind) {
    case 'event':
      return row.id !== null && (row.id === wanted.id || row.id === wanted.evt_id)
    case 'monitor':
      return showsMonitor(row, wanted)
    case 'metric':
      return showsMetric(row, wanted.query ?? '')
    case 'log':
      return showsLog(row, wanted.query ?? '')
  }
}

const showsMonitor = (row: CitedRow, wanted: Evidence): boolean =>
  row.slot === 'monitor' &&
  (row.id === String(wanted.id) || (wanted.name !== undefined && row.facts['name'] === wanted.name))

function showsMetric(row: CitedRow, query: string): boolean {
  const metric = /:([\w.]+)\{/.exec(query)?.[1]
  return (
    metric !== undefined && row.slot.startsWith('metric') && row.text.toLowerCase().includes(metric)
  )
}

/** The phrase of the query must be in the text, and its service must not be another. */
function showsLog(row: CitedRow, query: string): boolean {
  const phrase = /"([^"]+)"/.exec(query)?.[1]?.toLowerCase()
  const service = /service:([\w.-]+)/.exec(query)?.[1]
  const own = row.facts['service']
  return (
    row.slot.startsWith('log') &&
    phrase !== undefined &&
    row.text.toLowerCase().includes(phrase) &&
    (service === undefined || own === undefined || own === service)
  )
}
