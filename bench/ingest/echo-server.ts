import Koa from 'koa'
import type { AddressInfo } from 'node:net'
import getRawBody from 'raw-body'
import { say } from '../process/own-process.ts'

// The least a Koa server can do with a webhook: read it, parse it, send it back. Nothing is stored.
const app = new Koa()
app.use(async ctx => {
  const body: unknown = JSON.parse((await getRawBody(ctx.req)).toString('utf8'))
  ctx.status = 202
  ctx.type = 'application/json'
  ctx.body = JSON.stringify(body)
})
const server = app.listen(0, '127.0.0.1', () =>
  say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
)
