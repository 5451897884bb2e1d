import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bootError, errorCode } from '../errors.ts'

/** Listens with short limits, so that slow and half-open clients are reaped; close() waits for answers under way. */
export async function listen(
  listener: RequestListener,
  host: string,
  port: number
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
