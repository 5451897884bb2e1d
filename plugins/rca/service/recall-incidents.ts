import type { Knex } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Report, SimilarIncident } from '../contract.ts'
import { memoryStore } from '../store/memories.ts'
import { incidentTokens } from './engine/incident-tokens.ts'
import { createRecall } from './engine/recall.ts'
import { groupLogs } from './group-logs.ts'
import { textFact } from './read-rows.ts'
import { alertName } from './report.ts'

const maxSimilar = 3
const maxLogs = 20

/** The signs by which an incident is found again: its log lines, what left its range, and the alert's own words. */
function signsOf(alert: Alert, report: Report): string[] {
  const metrics = report.evidence
    .filter(({ slot }) => slot === 'metric-resources' || slot === 'metric')
    .flatMap(({ rows }) => rows)
    .flatMap(row => {
      const metric = textFact(row, 'metric')
      const direction = directionOf(textFact(row, 'points'))
      return metric && direction
        ? [{ source: textFact(row, 'scope') ?? '', metric, direction }]
        : []
    })
  const logs = groupLogs(report.evidence)
    .slice(0, maxLogs)
    .map(({ shape, services }) => ({ source: services.join(','), template: shape }))
  return incidentTokens({ logs, metrics, text: alertName(alert, report.evidence) })
}

function directionOf(packed: string | undefined): 'up' | 'down' | undefined {
  const points = packed === undefined ? [] : (JSON.parse(packed) as [number, number | null][])
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]))
  const [first, last] = [values[0], values.at(-1)]
  return first === undefined || last === undefined ? undefined : last >= first ? 'up' : 'down'
}

/**
 * Remembers an incident and finds those of the same account that look like it. They are hypotheses to test and never
 * evidence: the verdict is made without them.
 */
export async function recallIncidents(
  db: Knex,
  { id, account, alert }: { id: string; account: string | null; alert: Alert },
  report: Report
): Promise<SimilarIncident[]> {
  const signs = signsOf(alert, report)
  await memoryStore.remember(db, id, signs)
  return similarTo(db, id, account, signs)
}

/** The incidents of an account whose signs are near enough to be worth a look, nearest first. */
export async function similarTo(
  db: Knex,
  id: string,
  account: string | null,
  signs: readonly string[]
): Promise<SimilarIncident[]> {
  const past = await memoryStore.ofAccount(db, account, id)
  const known = new Map(past.map(memory => [memory.id, memory]))
  return createRecall(past)(signs)
    .filter(({ isClose }) => isClose)
    .slice(0, maxSimilar)
    .flatMap(({ id: other, similarity, cause, reasons }) => {
      const memory = known.get(other)
      if (!memory) return []
      return [
        {
          analysis_id: other,
          name: memory.name,
          at: memory.at.toISOString(),
          similarity: Math.round(similarity * 100) / 100,
          confirmed_cause: cause ?? null,
          reasons: [...reasons]
        }
      ]
    })
}
