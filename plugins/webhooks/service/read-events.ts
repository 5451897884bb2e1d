import { setImmediate } from 'node:timers/promises'
import type { Knex } from '../../../core/index.ts'
import type { Alert, AlertReceived, EventLink, EventLinks } from '../contract.ts'
import { normalise } from '../normalise/normalise.ts'
import { incidentStore } from '../store/incidents.ts'
import { eventStore, type Body, type EventFilter, type EventRow } from '../store/events.ts'

/** An event with what its body says, and what became of it. */
export interface ReadEvent extends EventRow {
  readonly alert: Alert
  /** The decoded payload. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly link: EventLink | undefined
  readonly incidentId: number | null
}
export interface EventReader {
  list(page: {
    readonly filter: EventFilter
    readonly limit: number
    readonly offset: number
    readonly before?: number
  }): Promise<{ readonly events: ReadEvent[]; readonly total: number }>
  find(id: number): Promise<ReadEvent | undefined>
  /** The bytes as they came: of the first delivery, or of the nth that came again with other bytes. */
  body(id: number, delivery: number): Promise<Body | undefined>
  /** What subscribers are told of events, read within a transaction if need be; ids that are gone are left out. */
  received(ids: readonly number[], within?: Knex): Promise<ReadonlyMap<number, AlertReceived>>
}

const maxAtOnce = 8
// Bodies above this are read one at a time, so that a page of the largest ones holds one of them in memory.
const maxTogether = 65_536

/** Reads stored webhooks: their bytes are the record, and are read anew whenever somebody asks. */
export function createEventReader(db: Knex, links: EventLinks | undefined): EventReader {
  /** What `read` makes of each row and its body; a body that is gone is passed over. */
  async function mapBodies<T>(
    rows: readonly EventRow[],
    read: (row: EventRow, body: Body) => T,
    within: Knex = db
  ): Promise<T[]> {
    const ids = rows.map(row => row.id)
    const small = await eventStore.smallBodies(within, ids, maxTogether)
    const found: T[] = []
    for (const [at, row] of rows.entries()) {
      // To read many takes long: whoever waits for an acknowledgement comes first.
      if (at % maxAtOnce === maxAtOnce - 1) await setImmediate()
      const body = small.get(row.id) ?? (await eventStore.body(within, row.id))
      if (body) found.push(read(row, body))
    }
    return found
  }

  async function readAll(rows: readonly EventRow[]): Promise<ReadEvent[]> {
    const ids = rows.map(row => row.id)
    const found = await incidentStore.ofEvents(db, ids)
    const incidents = new Map(found.map(each => [each.eventId, each]))
    const linked = await links?.of([...ids, ...found.map(({ standsFor }) => standsFor)])
    return mapBodies(rows, (row, { raw, headers }) => {
      const { incidentId = null, standsFor = row.id } = incidents.get(row.id) ?? {}
      // An alert that another one of its incident stands for has that one's analysis.
      const link = linked?.get(row.id) ?? linked?.get(standsFor)
      return { ...row, ...normalise(raw, headers), link, incidentId }
    })
  }

  return {
    async list(page) {
      const { events, total } = await eventStore.list(db, page)
      return { events: await readAll(events), total }
    },
    async find(id) {
      const row = await eventStore.find(db, id)
      return row && (await readAll([row]))[0]
    },
    body: (id, delivery) =>
      delivery === 1 ? eventStore.body(db, id) : eventStore.redelivery(db, id, delivery - 1),
    async received(ids, within = db) {
      const rows = await eventStore.rows(within, ids)
      const found = await mapBodies(
        rows,
        (row, { raw, headers }) => ({
          event_id: row.id,
          account: row.account,
          received_at: row.receivedAt.getTime(),
          alert: normalise(raw, headers).alert
        }),
        within
      )
      return new Map(found.map(event => [event.event_id, event]))
    }
  }
}
