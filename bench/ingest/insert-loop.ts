import pg from 'pg'
import { quantile } from '../figures.ts'
import { readInput, say } from '../process/own-process.ts'
import type { LoadResult } from './post-load.ts'

/** Rows go into `bench_inserts` of the product's own database, one transaction each. */
export interface InsertInput {
  readonly connection: pg.ClientConfig
  readonly body: string
  readonly mark: string
  readonly clients: number
  readonly seconds: number
  readonly round: string
}

const input = await readInput<InsertInput>()
const clients = await Promise.all(
  Array.from({ length: input.clients }, async () => {
    const client = new pg.Client({ ...input.connection, application_name: 'bench-inserts' })
    await client.connect()
    return client
  })
)
// What a receiver without any cleverness would have: a key that refuses a duplicate, and the body.
await clients[0]?.query(
  `create table if not exists bench_inserts (
      id bigint generated always as identity primary key,
      dedupe_key text not null unique,
      received_at timestamptz not null default now(),
      raw bytea not null
    )`
)

const latencies: number[] = []
let sent = 0
let failed = 0
const begun = performance.now()
const until = begun + input.seconds * 1000

async function drive(client: pg.Client): Promise<void> {
  for (let asked = performance.now(); asked < until; asked = performance.now()) {
    const number = String(sent++).padStart(input.mark.length, '0')
    const values = [
      `${input.round}-${number}`,
      Buffer.from(input.body.replaceAll(input.mark, number))
    ]
    await client
      .query({
        name: 'insert',
        text: 'insert into bench_inserts (dedupe_key, raw) values ($1, $2)',
        values
      })
      .then(
        () => latencies.push(performance.now() - asked),
        () => {
          failed += 1
        }
      )
  }
}

await Promise.all(clients.map(drive))
const elapsed = (performance.now() - begun) / 1000
await Promise.all(clients.map(client => client.end()))
say({
  sent,
  perSecond: latencies.length / elapsed,
  statuses: { inserted: latencies.length },
  lost: failed,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99)
} satisfies LoadResult)
