import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readInput, say } from '../process/own-process.ts'

// The least a server can do with a read: the answer is there already.
const body = Buffer.from(await readInput<string>())
const server = createServer((_, response) => {
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    .end(body)
})
server.listen(0, '127.0.0.1', () =>
  say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
)
