import { createConnection, requestOf, type Connection } from '../datacat/connection.ts'
import type { Json } from '../datacat/serial-merge.ts'
import { askDatabase } from '../process/product.ts'
import type { Kind } from './ledger.ts'

/** Counters of what a session holds, in the order it is kept. */
export type Counters = Readonly<Record<Kind, readonly number[]>>
export interface StoredSession {
  readonly counters: Counters
  readonly state: Json
  readonly patches: readonly Json[]
}

interface OldSession {
  readonly state: Json
  readonly events: readonly { data: { counter: number } }[]
  readonly metrics: readonly { value: number }[]
}
interface StatesPage {
  readonly states: readonly { patch: Json }[]
  readonly next_after: number | null
}

/** Reads sessions over HTTP, as a client would; a session that is not there is undefined. */
export function createReader(url: string): {
  read(id: string): Promise<StoredSession | undefined>
  close(): void
} {
  const connection = createConnection(url)
  return {
    async read(id) {
      const session = await get<OldSession>(connection, url, `/api/sessions/${id}`)
      if (!session) return undefined
      const patches: Json[] = []
      for (let after: number | null | undefined; after !== null;) {
        const page: StatesPage | undefined = await get<StatesPage>(
          connection,
          url,
          `/v1/datacat/sessions/${id}/states?limit=1000${after === undefined ? '' : `&after=${after}`}`
        )
        patches.push(...(page?.states.map(each => each.patch) ?? []))
        after = page?.next_after ?? null
      }
      return {
        state: session.state,
        patches,
        counters: {
          event: session.events.map(event => event.data.counter),
          metric: session.metrics.map(metric => metric.value),
          state: patches.map(lastOf)
        }
      }
    },
    close: connection.close
  }
}

export const lastOf = (patch: Json): number => Number((patch as { last?: number }).last)

async function get<T>(connection: Connection, url: string, path: string): Promise<T | undefined> {
  const { status, text } = await connection.ask(requestOf(url, 'GET', path))
  if (status === 404) return undefined
  if (status !== 200) throw new Error(`${path} answered ${status}: ${text.slice(0, 300)}`)
  return JSON.parse(text) as T
}

const lists: Readonly<Record<Kind, string>> = {
  metric: `
    select d.id, array_agg(p.value order by p.ordinal) as counters
    from datacat_points p
    join datacat_series s on s.id = p.series_id
    join datacat_sessions d on d.key = s.session_key
    group by d.id`,
  event: `
    select d.id, array_agg((e.data::jsonb->>'counter')::float8 order by e.n) as counters
    from datacat_events e
    join datacat_sessions d on d.key = e.session_key
    group by d.id`,
  state: `
    select d.id, array_agg((t.patch::jsonb->>'last')::float8 order by t.n) as counters
    from datacat_states t
    join datacat_sessions d on d.key = t.session_key
    group by d.id`
}
const wrongCountsSql = `
  select d.id
  from datacat_sessions d
  left join (
    select s.session_key, count(*) as n
    from datacat_points p
    join datacat_series s on s.id = p.series_id
    group by 1
  ) p on p.session_key = d.key
  left join (
    select session_key, count(*) as n from datacat_events group by 1
  ) e on e.session_key = d.key
  left join (
    select session_key, count(*) as n from datacat_states group by 1
  ) t on t.session_key = d.key
  where d.points <> coalesce(p.n, 0)
    or d.events <> coalesce(e.n, 0)
    or d.states <> coalesce(t.n, 0)`

/** The same from the tables, by session. */
export async function readTables(home: string): Promise<Map<string, Counters>> {
  const found = new Map<string, Record<Kind, readonly number[]>>()
  for (const kind of Object.keys(lists) as Kind[]) {
    for (const { id, counters } of await askDatabase<{ id: string; counters: number[] }>(
      home,
      lists[kind]
    )) {
      const session = found.get(id) ?? { state: [], event: [], metric: [] }
      session[kind] = counters
      found.set(id, session)
    }
  }
  return found
}

/** Sessions whose own counts differ from the rows they have. */
export async function wrongCounts(home: string): Promise<string[]> {
  const rows = await askDatabase<{ id: string }>(home, wrongCountsSql)
  return rows.map(row => row.id)
}
