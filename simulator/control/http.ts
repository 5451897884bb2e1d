import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const MAX_BODY = 8 * 1024 * 1024

/** Reads a request body as text; more than 8 MB ends the connection. */
export async function readBody(req: IncomingMessage): Promise<string> {
  if (req.method === 'GET') {
    req.resume()
    return ''
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY) throw new Error('the request body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Listens on loopback only and returns the base URL; port 0 takes a free one. */
export function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    })
  })
}

/** Stops a server at once, open connections included. */
export function shut(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
