import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Received {
  readonly headers: Record<string, unknown>
  readonly body: string
}

/** A loopback receiver that answers the given statuses in turn, then 202. */
export async function receiver(
  context: TestContext,
  statuses: number[] = []
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk)
    received.push({ headers: req.headers, body: Buffer.concat(chunks).toString() })
    res.writeHead(statuses.shift() ?? 202).end('{"id":1}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/webhooks/receive`,
    received
  }
}
