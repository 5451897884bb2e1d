import pg from 'pg'
import { quantile } from '../figures.ts'
import { readInput, say } from '../process/own-process.ts'
import { firstSecond, valueOf } from './batch.ts'
import type { LoadResult } from '../ingest/post-load.ts'

/** `values`: one statement of bound parameters for every column of every row; `arrays`: one bound array a column. */
export interface RowInsertInput {
  readonly connection: pg.ClientConfig
  readonly shape: 'values' | 'arrays'
  readonly clients: number
  readonly rows: number
  readonly seconds: number
}

const columns = {
  series_id: 'bigint',
  n: 'bigint',
  ordinal: 'bigint',
  received_at: 'bigint',
  at: 'bigint',
  value: 'double precision',
  tags: 'text',
  extra: 'text'
}
const names = Object.keys(columns)
const types = Object.values(columns)
const into = `insert into bench_points (${names.join(', ')})`

const input = await readInput<RowInsertInput>()
const clients = await Promise.all(
  Array.from({ length: input.clients }, async () => {
    const client = new pg.Client({ ...input.connection, application_name: 'bench-inserts' })
    await client.connect()
    return client
  })
)
// The columns and the index of the points table, and nothing else of what a receiver needs.
// A vacuum of the baseline's rows would run beside what is measured next.
await clients[0]?.query(
  'create table if not exists bench_points ' +
    `(${names.map((name, index) => `${name} ${types[index]}${index < 6 ? ' not null' : ''}`).join(', ')}) ` +
    'with (autovacuum_enabled = off)'
)
await clients[0]?.query(
  'create index if not exists bench_points_series on bench_points (series_id, n)'
)

const rowPlaces = (row: number): string =>
  `(${names.map((_, column) => `$${row * names.length + column + 1}`).join(', ')})`
const text =
  input.shape === 'values'
    ? `${into} values ${Array.from({ length: input.rows }, (_, row) => rowPlaces(row)).join(', ')}`
    : `${into} select * from unnest(${types.map((type, column) => `$${column + 1}::${type}[]`).join(', ')})`

const seriesEach = 10
const latencies: number[] = []
let sent = 0
let failed = 0
const begun = performance.now()
const until = begun + input.seconds * 1000

/** As the points of a batch: ten series in turn, one second of them. */
function rowOf(client: number, number: number): unknown[] {
  const now = Date.now()
  return [
    client * seriesEach + (number % seriesEach),
    Math.floor(number / seriesEach),
    number,
    now,
    firstSecond * 1_000 + number,
    valueOf((number % input.rows) * 13),
    null,
    null
  ]
}

async function drive(client: pg.Client, index: number): Promise<void> {
  for (let n = 0, asked = begun; asked < until; n++, asked = performance.now()) {
    const rows = Array.from({ length: input.rows }, (_, row) => rowOf(index, n * input.rows + row))
    const values =
      input.shape === 'values'
        ? rows.flat()
        : names.map((_, column) => rows.map(row => row[column]))
    sent += input.rows
    await client.query({ name: 'insert', text, values }).then(
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
  perSecond: (latencies.length * input.rows) / elapsed,
  statuses: { inserted: latencies.length },
  lost: failed,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99)
} satisfies LoadResult)
