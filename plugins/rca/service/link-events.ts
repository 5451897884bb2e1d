import type { Knex } from '../../../core/index.ts'
import type { EventLinks } from '../../webhooks/contract.ts'
import { analysisStore } from '../store/analyses.ts'

/** What became of events, for the webhooks plugin's answers. */
export const createEventLinks = (db: Knex): EventLinks => ({
  async of(eventIds) {
    const found = await analysisStore.ofEvents(db, eventIds)
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
  counts: () => analysisStore.countOfEvents(db)
})
