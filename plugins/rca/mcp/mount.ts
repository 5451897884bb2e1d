import type { AuthInfo } from '@modelcontextprotocol/server'
import { RayneError, type PluginApp, type Principal } from '../../../core/index.ts'
import type { McpOptions } from './server.ts'

type RawHandler = Parameters<PluginApp<unknown>['raw']>[3]
/** What one caller's server is made of, but for who calls. */
export type McpParts = Omit<McpOptions, 'principal'>

const path = '/mcp'
const metadataPath = '/.well-known/oauth-protected-resource'
const maxRequestBodySize = 1_048_576

/**
 * Serves MCP over Streamable HTTP at `/mcp`, without sessions: the stateless revision of 2026-07-28, and that of
 * 2025-11-25 a request at a time. The libraries are loaded at the first request.
 */
export function mountMcp(app: PluginApp<unknown>, parts: McpParts): void {
  let opening: ReturnType<typeof open> | undefined
  app.raw(
    'POST',
    path,
    {
      summary: 'The Model Context Protocol over Streamable HTTP: tools, resources and prompts',
      auth: 'scope:tools',
      challenge: ctx =>
        `Bearer realm="rayne", scope="tools", resource_metadata="${originOf(ctx)}${metadataPath}${path}"`
    },
    async (ctx, { principal }) => {
      refuseForeignPage(ctx.headers.origin, ctx.host)
      const { serve } = await (opening ??= open(parts))
      ctx.respond = false
      const { method, url, auth } = {
        method: ctx.method,
        url: ctx.req.url ?? path,
        auth: authOf(principal)
      }
      await serve(Object.assign(ctx.req, { method, url, auth }), ctx.res)
    }
  )
  for (const address of [metadataPath, `${metadataPath}${path}`])
    app.raw(
      'GET',
      address,
      { summary: 'What guards `/mcp`, as RFC 9728 says it', auth: 'public' },
      ctx => {
        ctx.body = {
          resource: `${originOf(ctx)}${path}`,
          resource_name: 'Rayne',
          scopes_supported: ['tools'],
          bearer_methods_supported: ['header']
        }
      }
    )
  app.onClose(async () => (await opening)?.close())
}

/** Scheme and host as the caller used them. */
const originOf = ({ headers, protocol, host }: Parameters<RawHandler>[0]): string =>
  `${headers['x-forwarded-proto'] === 'https' ? 'https' : protocol}://${host.replace(/[^\w.:[\]-]/g, '')}`

async function open(parts: McpParts) {
  const [{ createMcpHandler }, { toNodeHandler }, { createMcpServer }] = await Promise.all([
    import('@modelcontextprotocol/server'),
    import('@modelcontextprotocol/node'),
    import('./server.ts')
  ])
  const onerror = (error: Error): void => parts.log.debug({ error }, 'an MCP request was refused')
  const handler = createMcpHandler(
    ({ authInfo }) => createMcpServer({ ...parts, principal: principalOf(authInfo) }),
    { onerror, maxRequestBodySize }
  )
  return {
    serve: toNodeHandler(handler, { onerror, maxRequestBodySize }),
    close: () => handler.close()
  }
}

/** The caller as the library carries it; the token itself stays here. */
const authOf = (principal: Principal): AuthInfo => ({
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

/** A page may use the server it came from; browsers send Origin, other clients do not. */
function refuseForeignPage(origin: string | undefined, host: string): void {
  if (origin === undefined) return
  if (URL.canParse(origin) && new URL(origin).host === host) return
  throw new RayneError({
    code: 'foreign-origin',
    message: 'a page of another origin may not use the tools: call them from a program'
  })
}
