import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { faults, type Answer, type Fault, type Met } from './faults.ts'

/** Something between clients and a server: every way through it has its own address and its own fault. */
export interface Proxy {
  /** A base URL at which the next `times` requests meet the fault; Infinity = until it is mended. */
  through(fault: string, times: number): Way
  close(): Promise<void>
}
export interface Way {
  readonly url: string
  /** How many requests met the fault. */
  met(): number
  mend(): void
}

interface Open {
  readonly fault: Fault
  left: number
  met: number
}

/** Starts a proxy on the loopback in front of the server at `upstream`. */
export async function createProxy(upstream: string): Promise<Proxy> {
  const ways: Open[] = []
  const server = createServer((request, response) => {
    serve(ways, upstream, request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    through(name, times) {
      const fault = faults[name]
      if (!fault)
        throw new Error(`there is no fault ${name}: choose among ${Object.keys(faults).join(', ')}`)
      const way: Open = { fault, left: times, met: 0 }
      ways.push(way)
      return {
        url: `http://127.0.0.1:${port}/${ways.length - 1}`,
        met: () => way.met,
        mend() {
          way.left = 0
        }
      }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}

async function serve(
  ways: readonly Open[],
  upstream: string,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const [, number = '', rest = '/'] = /^\/(\d+)(\/.*)$/.exec(request.url ?? '') ?? []
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const way = ways[Number(number)]
  if (number === '' || !way) return void response.writeHead(200).end('<html>log in</html>')
  const target = upstream + rest
  const forward = (): Promise<Answer> => ask(target, request, Buffer.concat(parts))
  const met: Met = {
    response,
    target,
    forward,
    async pass() {
      const { status, type, body } = await forward()
      response.writeHead(status, { 'content-type': type }).end(body)
    }
  }
  if (way.left <= 0) return met.pass()
  way.left -= 1
  way.met += 1
  await way.fault(met)
}

const handed = ['content-type', 'content-encoding', 'authorization', 'idempotency-key', 'accept']

async function ask(url: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const headers = handed.flatMap(name => {
    const value = request.headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  const answer = await fetch(url, {
    method: request.method ?? 'GET',
    headers: Object.fromEntries(headers),
    ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
    signal: AbortSignal.timeout(30_000)
  })
  const type = answer.headers.get('content-type') ?? 'text/plain'
  return { status: answer.status, type, body: Buffer.from(await answer.arrayBuffer()) }
}
