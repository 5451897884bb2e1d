import {
  createMcpHandler,
  isLegacyRequest,
  type AuthInfo,
  type McpHandlerRequestOptions
} from '@modelcontextprotocol/server'
import { toNodeHandler } from '@modelcontextprotocol/node'
import type { Principal } from '../../../core/index.ts'
import { createSessions, type AnyServer } from './sessions.ts'

const maxRequestBodySize = 1_048_576
const modernRevision = '2026-07-28'

/**
 * Serves both revisions at one address: 2026-07-28 without sessions; 2025-11-25 in sessions, and a request at a time
 * for clients that keep none.
 */
export function createMcpTransport(
  createServer: (principal: Principal) => AnyServer,
  onerror: (error: Error) => void
) {
  const single = createMcpHandler(({ authInfo }) => createServer(principalOf(authInfo)), {
    onerror,
    maxRequestBodySize
  })
  const sessions = createSessions({ maxRequestBodySize, onerror })
  async function fetch(request: Request, options?: McpHandlerRequestOptions): Promise<Response> {
    if (request.headers.get('mcp-protocol-version') === modernRevision)
      return single.fetch(request, options)
    const principal = principalOf(options?.authInfo)
    const owner = `${principal.kind} ${principal.id}`
    const id = request.headers.get('mcp-session-id')
    if (id !== null)
      return (
        (await sessions.serve(id, owner, request, options)) ??
        refused(404, 'there is no session of this id: it ended, or was idle for 30 minutes')
      )
    if (request.method !== 'POST')
      return refused(400, 'Mcp-Session-Id is missing: a session begins with initialize')
    if (await beginsSession(request))
      return sessions.open(owner, createServer(principal), request, options)
    return single.fetch(request, options)
  }
  return {
    serve: toNodeHandler({ fetch }, { onerror, maxRequestBodySize }),
    toolsChanged(): void {
      sessions.toolsChanged()
      single.notify.toolsChanged()
    },
    async close(): Promise<void> {
      sessions.close()
      await single.close()
    }
  }
}

/** Whether this is the `initialize` of the older revision; its body is known to be short enough to read. */
async function beginsSession(request: Request): Promise<boolean> {
  if (!(await isLegacyRequest(request, undefined, { maxRequestBodySize }))) return false
  try {
    const body: unknown = await request.clone().json()
    return (
      typeof body === 'object' && body !== null && 'method' in body && body.method === 'initialize'
    )
  } catch {
    return false
  }
}

const refused = (status: number, message: string): Response =>
  Response.json({ jsonrpc: '2.0', error: { code: -32_001, message }, id: null }, { status })

/** The caller as the library carries it; the token itself stays outside. */
export const authOf = (principal: Principal): AuthInfo => ({
  token: '',
  clientId: principal.id,
  scopes: [...principal.scopes],
  extra: { principal }
})

function principalOf(auth: AuthInfo | undefined): Principal {
  const principal = auth?.extra?.['principal']
  if (principal === undefined) throw new Error('an MCP request came without its caller')
  return principal as Principal
}
