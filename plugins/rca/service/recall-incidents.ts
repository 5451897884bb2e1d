import type { Knex } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Report, SimilarIncident } from '../contract.ts'
import { memoryStore } from '../store/memories.ts'
import { fuseRecall } from './engine/fuse-recall.ts'
import { incidentTokens } from './engine/incident-tokens.ts'
import { createRecall } from './engine/recall.ts'
import { groupLogs } from './group-logs.ts'
import { textFact } from './read-rows.ts'
import { alertName } from './report.ts'
import type { Tell } from './tell-steps.ts'
import type { AskedIncident, IncidentVectors } from './vectors/incident-vectors.ts'

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
 * Remembers an incident and finds those of the same account that look like it, by what they share and, where vectors
 * are made, by their meaning. They are hypotheses to test and never evidence: the verdict is made without them.
 */
export async function recallIncidents(
  recall: Recall,
  { id, account, alert }: { id: string; account: string | null; alert: Alert },
  report: Report
): Promise<SimilarIncident[]> {
  const signs = signsOf(alert, report)
  await memoryStore.remember(recall.db, id, signs)
  return similarTo(recall, { id, account, signs })
}

/** What recalling needs of its surroundings; `tell` hears what was done without. */
export interface Recall {
  readonly db: Knex
  readonly vectors: IncidentVectors | undefined
  readonly signal: AbortSignal
  readonly tell?: Tell
}

/** The incidents of an account that are near enough to be worth a look, nearest first. */
export async function similarTo(
  { db, vectors, signal, tell }: Recall,
  asked: AskedIncident
): Promise<SimilarIncident[]> {
  const { cosines, note } = (await vectors?.near(asked, signal)) ?? { cosines: new Map() }
  if (note !== undefined) tell?.('asked', note)
  const past = await memoryStore.ofAccount(db, asked.account, asked.id, [...cosines.keys()])
  const known = new Map(past.map(memory => [memory.id, memory]))
  return fuseRecall(createRecall(past)(asked.signs), cosines)
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
