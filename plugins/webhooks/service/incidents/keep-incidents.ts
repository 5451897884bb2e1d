import { isoTime, epochMs, nowMs, secondMs, type Knex } from '../../../../core/index.ts'
import type { AlertReceived, Incident, IncidentChanged, IncidentSettled } from '../../contract.ts'
import { incidentStore, type Change } from '../../store/incidents.ts'
import { memberStore } from '../../store/members.ts'

/** What an incident needs of the platform. */
export interface Platform {
  /** Seconds in which the alerts of one incident are gathered before it is analysed and told; 0 for none. */
  readonly settleSeconds: () => number
  readonly settled: (trx: Knex.Transaction, told: IncidentSettled) => Promise<void>
  readonly changed: (trx: Knex.Transaction, told: IncidentChanged) => Promise<void>
  /** Puts the end of the gathering in line. */
  readonly settleLater: (
    trx: Knex.Transaction,
    incidentId: number,
    delaySeconds: number
  ) => Promise<void>
  readonly read: (
    ids: readonly number[],
    within?: Knex
  ) => Promise<ReadonlyMap<number, AlertReceived>>
}
type What = IncidentChanged['change']

/** What may become of an incident; its row is held by the transaction, and what is told goes with it. */
export function createIncidentKeeper(platform: Platform) {
  async function change(
    trx: Knex.Transaction,
    incidentId: number,
    changes: Change,
    what?: What
  ): Promise<void> {
    const revision = await incidentStore.change(trx, incidentId, changes)
    if (what !== undefined)
      await platform.changed(trx, { incident_id: incidentId, change: what, revision })
  }

  /** Ends the gathering: from now on the incident is analysed and told, once. */
  async function settle(trx: Knex.Transaction, incidentId: number): Promise<void> {
    const incident = await incidentStore.hold(trx, incidentId)
    if (!incident || incident.state === 'merged' || !isGathering(incident)) return
    const received = (await platform.read([incident.eventId], trx)).get(incident.eventId)
    if (!received) return
    await change(trx, incidentId, { settledAt: nowMs() })
    await tellSettled(trx, incidentId, received)
  }

  async function tellSettled(
    trx: Knex.Transaction,
    incidentId: number,
    { event_id, account, received_at, alert }: AlertReceived
  ): Promise<void> {
    await platform.settled(trx, { incident_id: incidentId, event_id, account, received_at, alert })
  }

  return {
    change,
    settle,

    /** When the gathering of a new incident ends, if an alert wants it analysed. */
    gathering(isWanted: boolean): Pick<Incident, 'settlesAt' | 'settledAt'> {
      if (!isWanted) return { settlesAt: null, settledAt: null }
      const now = nowMs()
      const seconds = platform.settleSeconds()
      return { settlesAt: now + seconds * secondMs, settledAt: seconds === 0 ? now : null }
    },

    /** Tells of an incident that is new, or puts the end of its gathering in line. */
    async opened(
      trx: Knex.Transaction,
      { id, settlesAt, settledAt }: Incident,
      received: AlertReceived
    ): Promise<void> {
      if (settledAt !== null) return tellSettled(trx, id, received)
      if (settlesAt !== null) await platform.settleLater(trx, id, secondsUntil(settlesAt))
    },

    /** An alert that wants an analysis has come: it stands for the incident from now on. */
    async gather(trx: Knex.Transaction, incident: Incident, eventId: number): Promise<void> {
      if (incident.settlesAt !== null) return
      const settlesAt = nowMs() + platform.settleSeconds() * secondMs
      await incidentStore.change(trx, incident.id, { eventId, settlesAt })
      if (secondsUntil(settlesAt) === 0) await settle(trx, incident.id)
      else await platform.settleLater(trx, incident.id, secondsUntil(settlesAt))
    },

    /** Closes an incident of which nothing fires any more, at a time (epoch ms). */
    async close(
      trx: Knex.Transaction,
      incidentId: number,
      { at, by, text }: { readonly at: number; readonly by: string | null; readonly text: string }
    ): Promise<void> {
      const closedBy = by ?? 'recovery'
      await incidentStore.log(trx, incidentId, { kind: 'closed', by, text })
      await change(trx, incidentId, { state: 'closed', closedAt: at, closedBy }, 'closed')
    },

    /** Makes an incident say what its members say: how bad it is, and whether that is worse than it was. */
    async sumUp(
      trx: Knex.Transaction,
      before: Incident,
      changes: Change = {},
      what?: What
    ): Promise<number> {
      const { severity, firing } = await memberStore.sumUp(trx, before.id)
      const rose = severity > statusOrder.indexOf(before.status)
      await change(trx, before.id, { severity, ...changes }, what ?? (rose ? 'rose' : undefined))
      return firing
    }
  }
}
export type IncidentKeeper = ReturnType<typeof createIncidentKeeper>

const statusOrder = ['ok', 'no_data', 'warn', 'alert']

/** Whether its alerts are still gathered. */
export const isGathering = ({
  settlesAt,
  settledAt
}: Pick<Incident, 'settlesAt' | 'settledAt'>): boolean => settlesAt !== null && settledAt === null

const secondsUntil = (ms: number): number => Math.max(0, Math.ceil((ms - nowMs()) / secondMs))

/** A time as a sentence of the log says it. */
export const timeText = (ms: number): string => isoTime(epochMs(ms))
