import type { JobContext, JobHandle, Knex } from '../../../core/index.ts'
import { DatadogError, type DatadogService } from '../../datadog-proxy/contract.ts'
import type { AlertReceived } from '../../webhooks/contract.ts'
import type { AnalysisEnded } from '../contract.ts'
import { outcomeStore } from '../store/outcomes.ts'

/** What a job about one analysis carries. */
export interface OneAnalysis {
  readonly analysisId: string
}

/** A recovery resolves what its monitor's alerts opened, and has their notebooks say so, both or neither. */
export async function recover(
  trx: Knex.Transaction,
  { alert, account, received_at: receivedAt }: AlertReceived,
  resolve: JobHandle<OneAnalysis>
): Promise<void> {
  if (alert.firing || alert.monitor_id === null) return
  const at = Math.min(alert.at ?? receivedAt, receivedAt)
  const { monitor_id: monitorId } = alert
  await outcomeStore.recovered(trx, { account, monitorId, at })
  const resolved = await outcomeStore.resolve(trx, { monitorId })
  for (const analysisId of resolved) await resolve.enqueue({ analysisId }, { trx, key: analysisId })
}

/**
 * What follows an analysis: an alert that recovered meanwhile has its new notebook say so, and a failure is told to
 * Datadog as an event, so that nobody waits for a report that does not come.
 */
export const createFollowUp =
  (needs: { db: Knex; datadog: DatadogService; resolve: JobHandle<OneAnalysis> }) =>
  async (ended: AnalysisEnded, job: JobContext): Promise<void> => {
    const { db, datadog, resolve } = needs
    if (ended.status === 'failed') return tellFailure(datadog, ended, job)
    const { analysis_id: analysisId } = ended
    await outcomeStore.resolve(db, { id: analysisId })
    const { resolvedAt } = await outcomeStore.lifecycle(db, analysisId)
    if (resolvedAt !== null && ended.notebook_url !== null)
      await resolve.enqueue({ analysisId }, { key: analysisId })
  }

/** One event; keys that may not post events are said in the log, for no repetition would help. */
async function tellFailure(
  datadog: DatadogService,
  { alert, account: name, analysis_id: id, error, summary }: AnalysisEnded,
  { signal, log }: JobContext
): Promise<void> {
  const account = await datadog.account(name ?? undefined)
  const monitor = alert.monitor_name ?? alert.title ?? `monitor ${alert.monitor_id ?? 'unknown'}`
  const tags = Object.entries({
    source: 'rayne',
    service: alert.service,
    env: alert.env,
    monitor_id: alert.monitor_id
  }).flatMap(([key, value]) => (value === null ? [] : [`${key}:${value}`]))
  const event = {
    title: `[RCA Pipeline Failure] ${monitor}`.slice(0, 100),
    text: [
      `Analysis ${id} failed: ${error ?? 'no reason is known'}.`,
      summary === null ? 'Nothing was concluded.' : `What was gathered says: ${summary}`,
      'GET /v1/rca/{id} has what was gathered; POST /v1/rca/{id}/rerun analyses again.'
    ]
      .join('\n')
      .slice(0, 4_000),
    tags,
    alertType: 'error' as const
  }
  try {
    await account.createEvent(event, { signal })
  } catch (problem) {
    if (!(problem instanceof DatadogError)) throw problem
    // It is sent once: whether Datadog has it after a lost answer cannot be found out.
    log.warn({ error: problem.message, analysis: id }, 'the failed analysis could not be told')
  }
}
