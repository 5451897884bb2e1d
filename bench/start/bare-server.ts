import Koa from 'koa'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import getRawBody from 'raw-body'
import { say } from '../process/own-process.ts'

// The least a receiver can be: Koa, one pool, one table; the database is there and runs.
const pool = new pg.Pool(JSON.parse(process.argv[2] ?? '{}') as pg.PoolConfig)
await pool.query('create table if not exists bench_bare (raw bytea not null)')
const app = new Koa()
app.use(async ctx => {
  await pool.query('insert into bench_bare (raw) values ($1)', [await getRawBody(ctx.req)])
  ctx.status = 202
  ctx.body = { status: 'accepted' }
})
const server = app.listen(0, '127.0.0.1', () =>
  say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
)
