import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd, type Test } from '../../../core/testing.ts'

export interface Got {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: Record<string, unknown>
}
export interface Says {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** A service on this machine that notes what it gets; `says` are its next answers, 200 after the last. */
export async function startReceiver(t: Test, says: Says[] = [], usually: Says = {}) {
  const got: Got[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString('utf8')
    let body: Record<string, unknown> = {}
    try {
      body = JSON.parse(text) as Record<string, unknown>
    } catch {
      // Some protocols speak no JSON.
    }
    got.push({ path: request.url ?? '', headers: request.headers, text, body })
    const answer = { ...usually, ...says.shift() }
    response.writeHead(answer.status ?? 200, answer.headers)
    response.end(answer.body ?? '{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got, says }
}
