import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { bootError, errorCode } from '../errors.ts'

/** Listens with short limits, so that slow and half-open clients are reaped; close() waits for answers under way. */
export async function listen(
  listener: RequestListener,
  host: string,
  port: number,
  door: (socket: Socket) => void
): Promise<{ url: string; server: Server; close(graceMs: number): Promise<void> }> {
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 5_000
    },
    listener
  )
  server.maxConnections = 10_000
  server.on('connection', door)
  server.timeout = 60_000 // a client that stops reading its answer is let go too
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  }).catch((error: unknown) => {
    const code = errorCode(error)
    if (code === 'EADDRINUSE')
      throw bootError(
        `port ${port} on ${host} is taken: stop what listens there, or set PORT to another one`,
        error as Error
      )
    throw bootError(
      `cannot listen on ${host}:${port} (${code ?? 'unknown'}): set HOST and PORT`,
      error as Error
    )
  })
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    server,
    async close(graceMs) {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(timer)
    }
  }
}

const fullHouse =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** One address cannot take the connections of all: what is over `most` is told so and ended. */
export function createDoor(most: number, isTrusted: (address: string) => boolean) {
  const open = new Map<string, number>()
  return (socket: Socket): void => {
    const address = socket.remoteAddress ?? ''
    if (isTrusted(address)) return
    const now = (open.get(address) ?? 0) + 1
    open.set(address, now)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
    if (now > most) socket.end(fullHouse, () => socket.destroy())
  }
}
