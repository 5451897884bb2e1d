import { Type, type JobHandle, type KeptEvent, type PluginApp } from '../../core/index.ts'
import type { DatadogService } from '../datadog-proxy/contract.ts'
import type { Config } from './config.ts'
import {
  AlertReceived,
  EventsDeleted,
  ForwardDue,
  IncidentChanged,
  IncidentSettled,
  type EventLinks
} from './contract.ts'
import { createActing, type ActOnAlert } from './service/act-on-alert.ts'
import { openIncidents, type OpenIncidents } from './service/incidents/open-incidents.ts'
import { createDowntimeKeeper } from './service/keep-downtime.ts'
import type { EventReader } from './service/read-events.ts'
import { deleteOldEvents, type Retention } from './service/retention.ts'
import { eventStore } from './store/events.ts'

/** Alerts become incidents, and what configs want is done; incidents that are gathered are settled. */
export function alertJobs(
  app: PluginApp<Config>,
  reader: EventReader,
  datadog: DatadogService | undefined
): { readonly incidents: OpenIncidents; readonly acting: ActOnAlert } {
  const { db } = app
  const settle: JobHandle<{ incidentId: number }> = app.job('settle', {
    payload: Type.Object({ incidentId: Type.Integer() }),
    run: ({ incidentId }, job) =>
      db.transaction(async trx => {
        await job.fence(trx)
        await incidents.settle(trx, incidentId)
      })
  })
  const incidents = openIncidents({
    db,
    config: app.config,
    platform: {
      settled: (trx, told) => app.emit(trx, IncidentSettled, told),
      changed: (trx, told) => app.emit(trx, IncidentChanged, told),
      settleLater: (trx, incidentId, delaySeconds) =>
        settle.enqueue({ incidentId }, { trx, key: String(incidentId), delaySeconds }),
      read: reader.received
    }
  })
  const acting = actingJobs(app, datadog)
  app.on(AlertReceived, (alert, job) =>
    db.transaction(async trx => {
      await job.fence(trx)
      if (await incidents.take(trx, alert)) await acting.act(trx, alert)
    })
  )
  return { incidents, acting }
}

/** What configs want done goes its own way: a slow address or Datadog keeps no alert waiting. */
function actingJobs(app: PluginApp<Config>, datadog: DatadogService | undefined): ActOnAlert {
  const keep: JobHandle<{ downtimeId: number }> = app.job('downtime', {
    payload: Type.Object({ downtimeId: Type.Integer() }),
    run: createDowntimeKeeper(app.db, datadog)
  })
  return createActing({
    forward: (trx, due) => app.emit(trx, ForwardDue, due),
    downtime: (trx, downtimeId) => keep.enqueue({ downtimeId }, { trx })
  })
}

/** What is too old goes each night; bytes are forgotten when they are no second delivery any more. */
export function retentionJobs(
  app: PluginApp<Config>,
  received: KeptEvent,
  links: EventLinks | undefined
): void {
  const { db, config } = app
  const retention: Retention = {
    db,
    received,
    links,
    deleted: (trx, ids) => app.emit(trx, EventsDeleted, { event_ids: [...ids] }),
    days: config.retention_days,
    quotaMb: config.quota_mb
  }
  app.schedule('retain', '37 3 * * *', async job => {
    await deleteOldEvents(retention, job)
  })
  app.schedule('forget-bytes', '*/5 * * * *', () => eventStore.forgetBytes(db))
}
