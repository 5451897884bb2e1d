import type { JobContext, JobHandle, Knex } from '../../../core/index.ts'
import { needsAnalysis, type AlertReceived } from '../../webhooks/contract.ts'
import { analysisStore } from '../store/analyses.ts'

/**
 * Opens one analysis for a firing alert and enqueues its job, both or neither; a second delivery of the event does
 * nothing.
 */
export async function openAnalysis(
  trx: Knex.Transaction,
  received: AlertReceived,
  job: JobContext,
  analyse: JobHandle<{ analysisId: string }>
): Promise<void> {
  const { alert } = received
  if (!needsAnalysis(alert)) return
  await job.fence(trx)
  const analysisId = await analysisStore.create(trx, {
    eventId: received.event_id,
    account: received.account,
    alert,
    receivedAt: new Date(received.received_at)
  })
  if (analysisId) await analyse.enqueue({ analysisId }, { trx, key: analysisId })
}
