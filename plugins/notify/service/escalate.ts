import type { JobContext, JobHandle, Knex } from '../../../core/index.ts'
import type { Incidents } from '../../webhooks/contract.ts'
import type { Route } from '../config.ts'
import { messageStore } from '../store.ts'
import { chooseRoute } from './choose-route.ts'
import type { Outbox, Send } from './outbox.ts'

/** What waits whether somebody acknowledges. */
export interface Escalation {
  readonly threadId: number
  readonly incidentId: number
  readonly route: string
}

/** Tells others when an incident is open and nobody has acknowledged it in the time that its route gives. */
export function createEscalation({
  db,
  routes,
  incidents,
  outbox,
  deliver
}: {
  readonly db: Knex
  readonly routes: readonly Route[]
  readonly incidents: Incidents
  readonly outbox: Outbox
  readonly deliver: JobHandle<Send>
}) {
  return {
    /** Begins the wait of every route that takes the first message of a thread, in its transaction. */
    async begin(
      trx: Knex.Transaction,
      job: JobHandle<Escalation>,
      threadId: number,
      incidentId: number
    ): Promise<void> {
      const thread = await messageStore.find(trx, threadId)
      if (!thread || thread.message.state === 'resolved') return
      for (const route of routes) {
        const { escalate, name } = route
        if (!escalate) continue
        if (chooseRoute([route], [], thread.message, thread.facts, Date.now()).length === 0)
          continue
        const delaySeconds = escalate.after_minutes * 60
        const key = `${threadId} ${name}`
        await job.enqueue({ threadId, incidentId, route: name }, { trx, key, delaySeconds })
      }
    },

    run: ({ threadId, incidentId, route: name }: Escalation, job: JobContext): Promise<void> =>
      db.transaction(async trx => {
        await job.fence(trx)
        const escalate = routes.find(route => route.name === name)?.escalate
        const incident = await incidents.find(incidentId, trx)
        const thread = await messageStore.find(trx, threadId)
        if (!escalate || !thread || incident?.state !== 'open') return
        if (incident.acknowledgedAt !== null) return
        await outbox.tellAlso(trx, deliver, thread, escalate.channels)
      })
  }
}
