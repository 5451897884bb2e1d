import type { Knex } from '../../../core/index.ts'
import type { EventLinks } from '../../webhooks/contract.ts'
import { ofEventsStore } from '../store/of-events.ts'

/** What became of events, for the webhooks plugin's answers. */
export const createEventLinks = (db: Knex, maxConcurrent: number): EventLinks => ({
  maxConcurrent,
  async of(eventIds) {
    const found = await ofEventsStore.of(db, eventIds)
    return new Map(
      found.map(({ eventId, id, status, error, notebook }) => [
        eventId,
        {
          rca: { id, url: `/v1/rca/${id}`, status, error },
          ...(notebook
            ? { notebook: { id: notebook.id, url: notebook.url, simulated: notebook.simulated } }
            : {})
        }
      ])
    )
  },
  counts: () => ofEventsStore.counts(db)
})
