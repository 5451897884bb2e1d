import { setTimeout as sleep } from 'node:timers/promises'
import { invalid, type JobHandle, type Knex } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import { outcomeStore } from '../store/outcomes.ts'
import type { OneAnalysis } from './after-alert.ts'
import { alertOfPayload, type OldPayload } from './alert-of-payload.ts'

const waitMs = 10_000
const lookMs = 200

/** Resolves the analyses of a monitor and waits a while for the newest of their notebooks to say so. */
export async function recoverNow(
  needs: { db: Knex; datadog: DatadogService; resolve: JobHandle<OneAnalysis> },
  payload: OldPayload,
  signal: AbortSignal
) {
  const { db, datadog, resolve } = needs
  const { monitor_id: monitorId, monitor_name: monitorName } = alertOfPayload(payload)
  if (monitorId === null) throw invalid('/body/payload/monitor_id', 'is required, as digits')
  const { name: account } = await datadog.account()
  const now = Date.now()
  const ids = await db.transaction(async trx => {
    await outcomeStore.recovered(trx, { account, monitorId, at: now })
    const resolved = await outcomeStore.resolve(trx, { monitorId })
    for (const analysisId of resolved)
      await resolve.enqueue({ analysisId }, { trx, key: analysisId })
    return resolved
  })
  const known = (await outcomeStore.notebooks(db, 500)).find(one => one.monitorId === monitorId)
  const updated = ids.length > 0 && (await wasUpdated(db, ids, signal))
  return {
    success: true,
    monitorId,
    monitorName,
    alertStatus: typeof payload['alert_status'] === 'string' ? payload['alert_status'] : null,
    recoveryTimestamp: new Date(now).toISOString(),
    notebookUpdated: updated,
    notebookId: known?.notebookId ?? null,
    notebookUrl: known?.notebookUrl ?? null,
    registryStatus: known?.status ?? 'Unknown',
    timestamp: new Date().toISOString()
  }
}

async function wasUpdated(db: Knex, ids: readonly string[], signal: AbortSignal): Promise<boolean> {
  for (const end = performance.now() + waitMs; performance.now() < end;) {
    const states = await Promise.all(ids.map(id => outcomeStore.lifecycle(db, id)))
    if (states.every(({ notebookResolvedAt }) => notebookResolvedAt !== null)) return true
    await sleep(lookMs, undefined, { signal })
  }
  return false
}
