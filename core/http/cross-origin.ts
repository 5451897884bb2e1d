import type { IncomingMessage, ServerResponse } from 'node:http'

const allowed = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'authorization, content-type, idempotency-key, x-rayne-token',
  'access-control-max-age': '600'
} as const

/**
 * Tells a browser what a page of a listed origin may do, as the Fetch standard asks: every answer to it
 * carries its origin, and the question before a write is answered here. No page gets cookies sent along.
 */
export function createCrossOrigin(origins: readonly string[]) {
  const listed = new Set(origins)
  /** Answers the browser's question before a write; true when there is nothing left to answer. */
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const { origin } = request.headers
    if (origin === undefined || !listed.has(origin)) return false
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('vary', 'origin')
    const asks = request.headers['access-control-request-method'] !== undefined
    if (request.method !== 'OPTIONS' || !asks) return false
    response.writeHead(204, allowed).end()
    return true
  }
}
