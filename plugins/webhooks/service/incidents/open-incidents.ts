import { hourMs, minuteMs, type Knex } from '../../../../core/index.ts'
import type { Config } from '../../config.ts'
import type { Incidents } from '../../contract.ts'
import { incidentStore } from '../../store/incidents.ts'
import { createBeginning } from './begin-incident.ts'
import { createIncidentHandling, type IncidentHandling } from './handle-incident.ts'
import { createIncidentKeeper, type Platform } from './keep-incidents.ts'
import { createAlertTaker, type TakeAlert } from './take-alert.ts'

/** Incidents: what alerts make of them, what people do with them, and what others ask of them. */
export interface OpenIncidents {
  readonly take: TakeAlert
  /** Ends the gathering of one. */
  readonly settle: (trx: Knex.Transaction, incidentId: number) => Promise<void>
  readonly handling: IncidentHandling
  readonly service: Incidents
}

/** Puts the parts together by the settings. */
export function openIncidents({
  db,
  config,
  platform
}: {
  readonly db: Knex
  readonly config: Config
  readonly platform: Omit<Platform, 'settleSeconds'>
}): OpenIncidents {
  let usualSeconds = 20
  const settleSeconds = (): number => config.settle_seconds ?? usualSeconds
  const keeper = createIncidentKeeper({ ...platform, settleSeconds })
  const begin = createBeginning({
    keeper,
    grouping: {
      mode: config.grouping,
      seconds: config.storm_seconds,
      monitors: config.storm_monitors
    }
  })
  const patience = {
    reopenMs: config.reopen_minutes * minuteMs,
    staleMs: config.stale_hours * hourMs
  }
  const take = createAlertTaker({ keeper, begin, patience })
  return {
    take,
    settle: keeper.settle,
    handling: createIncidentHandling({ db, keeper }),
    service: {
      async find(id, within = db) {
        const incident = await incidentStore.find(within, id)
        if (!incident) return undefined
        const received = (await platform.read([incident.eventId], within)).get(incident.eventId)
        return received && { ...incident, received }
      },
      async ofEvents(eventIds, within = db) {
        const found = await incidentStore.ofEvents(within, eventIds)
        return new Map(found.map(({ eventId, incidentId }) => [eventId, incidentId]))
      },
      gatherFor(seconds) {
        usualSeconds = seconds
      }
    }
  }
}
