import type { JobContext, JobHandle, Knex } from '../../../core/index.ts'
import { needsAnalysis, problemOf, type IncidentSettled } from '../../webhooks/contract.ts'
import { analysisStore } from '../store/analyses.ts'
import { readPolicy, whyNotAnalysed, type TriggerPolicy } from './trigger-policy.ts'

/** What is analysed, and how many analyses one monitor may start within an hour; 0 is without a limit. */
export interface Share {
  readonly policy: TriggerPolicy
  readonly perMonitor: number
}

/** Reads what is analysed of the settings. */
export const readShare = (settings: Parameters<typeof readPolicy>[0] & HourlySetting): Share => ({
  policy: readPolicy(settings),
  perMonitor: settings.hourly_per_monitor
})
interface HourlySetting {
  readonly hourly_per_monitor: number
}

/**
 * Opens one analysis for an incident, of the alert that stands for it, and enqueues its job, both or neither; a
 * second delivery does nothing. What the policy leaves out, and what is beyond its monitor's share of the hour, is kept
 * as skipped, with the reason.
 */
export async function openAnalysis(
  trx: Knex.Transaction,
  received: IncidentSettled,
  job: JobContext,
  analyse: JobHandle<{ analysisId: string }>,
  { policy, perMonitor }: Share
): Promise<void> {
  const { alert, account } = received
  if (!needsAnalysis(alert)) return
  await job.fence(trx)
  // What has no monitor shares one count.
  const monitor = JSON.stringify([account, (problemOf(alert).monitor ?? '').slice(0, 200)])
  const unwanted = whyNotAnalysed(policy, account, alert, received.received_at)
  const isOver =
    unwanted === null &&
    perMonitor > 0 &&
    (await analysisStore.startedWithinHour(trx, monitor)) >= perMonitor
  const skipped = isOver
    ? `not analysed: this monitor has had ${perMonitor} analyses within an hour (RAYNE_RCA_HOURLY_PER_MONITOR)`
    : unwanted
  const analysisId = await analysisStore.create(trx, {
    eventId: received.event_id,
    account,
    monitor,
    alert,
    receivedAt: new Date(received.received_at),
    skipped
  })
  if (!analysisId) return
  if (skipped === null) await analyse.enqueue({ analysisId }, { trx, key: analysisId })
  else job.log.warn({ event: received.event_id, monitor }, skipped)
}
