import { epochMs, minuteMs, nowMs, type JobContext, type Knex } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import { configStore } from '../store/configs.ts'

/** Makes the downtime that an alert wanted, or cancels it when the alert is over; each as often as it takes. */
export const createDowntimeKeeper =
  (db: Knex, datadog: DatadogService | undefined) =>
  async (
    { downtimeId: id }: { downtimeId: number },
    { signal, log }: JobContext
  ): Promise<void> => {
    const wanted = await configStore.downtime(db, id)
    if (!wanted || !datadog) return
    const account = await datadog.account(wanted.account)
    const { state, downtime_id: known, monitor_id: monitorId, scope, minutes } = wanted
    if (state === 'over') {
      if (known !== null) await account.cancelDowntime(known, { signal })
      return
    }
    if (known !== null) return
    const made = await account.createDowntime(
      {
        scope,
        monitor: { id: monitorId },
        to: epochMs(nowMs() + minutes * minuteMs),
        message: `Rayne muted monitor ${monitorId} for ${minutes} min while its alert is known.`,
        key: `rayne-auto-${id}`
      },
      { signal }
    )
    const now = await configStore.downtimeMade(db, id, made.id)
    // It recovered while Datadog was asked.
    if (now === 'over') await account.cancelDowntime(made.id, { signal })
    log.info({ downtime: made.id, monitor: monitorId, scope }, 'a monitor was muted by a config')
  }
