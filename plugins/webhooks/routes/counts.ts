import { defineRoute, Type, type Knex, type Route } from '../../../core/index.ts'
import type { EventLinks } from '../contract.ts'
import type { EventReader } from '../service/read-events.ts'
import { incidentStore } from '../store/incidents.ts'
import { eventStore } from '../store/events.ts'
import { Event, stateOfAnalysis, toWire } from './wire-event.ts'

const Counts = Type.Record(Type.String(), Type.Integer())

export interface CountRoutes {
  readonly db: Knex
  readonly events: EventReader
  readonly links: EventLinks | undefined
}

/** The first version's figures and its list of one monitor. */
export const countRoutes = ({ db, events, links }: CountRoutes): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/webhooks/stats',
    auth: 'user',
    summary: 'How many webhooks were received, by what they said and what became of them',
    response: Type.Object({
      total_events: Type.Integer(),
      by_status: Counts,
      by_alert_status: Counts,
      last_24h: Type.Integer()
    }),
    async handle() {
      const { total, lastDay, settled, byAlertStatus } = await eventStore.counts(db, 0)
      return {
        total_events: total,
        by_status: await byStatus(links, total, settled + (await incidentStore.repeated(db))),
        by_alert_status: byAlertStatus,
        last_24h: lastDay
      }
    }
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/monitor/{monitorId}',
    auth: 'user',
    summary: 'The newest webhooks of one monitor',
    params: Type.Object({ monitorId: Type.String({ pattern: '^[0-9]{1,19}$' }) }),
    query: Type.Object(
      { limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }) },
      { additionalProperties: false }
    ),
    response: Type.Array(Event),
    async handle({ params: { monitorId }, query: { limit } }) {
      const page = { filter: { monitor: monitorId }, limit, offset: 0 }
      const { events: found } = await events.list(page)
      return found.map(event => toWire(event, links !== undefined))
    }
  })
]

/** What is settled needs no analysis; what has none yet is waiting, where some plugin analyses at all. */
async function byStatus(
  links: EventLinks | undefined,
  total: number,
  settled: number
): Promise<Record<string, number>> {
  const found: Record<string, number> = { pending: 0, processed: 0 }
  const add = (status: string, count: number): void => {
    found[status] = (found[status] ?? 0) + count
  }
  let analysed = 0
  for (const [status, count] of (await links?.counts()) ?? []) {
    add(stateOfAnalysis[status], count)
    analysed += count
  }
  const others = Math.max(0, total - settled - analysed)
  add('processed', settled)
  add(links ? 'pending' : 'processed', others)
  return found
}
