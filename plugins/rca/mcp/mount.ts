import {
  RayneError,
  secondMs,
  type Logger,
  type PluginApp,
  type Principal,
  type Toolbox
} from '../../../core/index.ts'

import type { AnyServer } from './sessions.ts'

type RawHandler = Parameters<PluginApp<unknown>['raw']>[3]

const path = '/mcp'
const metadataPath = '/.well-known/oauth-protected-resource'
const methods = {
  POST: 'The Model Context Protocol over Streamable HTTP: tools, resources and prompts',
  GET: 'What the server tells the client of an MCP session by itself, as server-sent events',
  DELETE: 'Ends an MCP session'
}

/**
 * Serves MCP over Streamable HTTP at `/mcp`, one server a caller. The libraries are loaded at the first request; while
 * clients listen, a change of the list of tools is told to them within a second.
 */
export function mountMcp(
  app: PluginApp<unknown>,
  toolbox: Toolbox,
  openServer: () => Promise<(principal: Principal) => AnyServer>
): void {
  let opening: ReturnType<typeof open> | undefined
  const handle: RawHandler = async (ctx, { principal }) => {
    // A GET that names no session is refused as such, whoever sends it: there is nothing to protect.
    if (ctx.method !== 'GET' || ctx.headers['mcp-session-id'] !== undefined)
      refuseForeignPage(ctx.headers.origin, ctx.host)
    const { serve, authOf } = await (opening ??= open(app.log, toolbox, openServer))
    ctx.respond = false
    const { method, url, auth } = {
      method: ctx.method,
      url: ctx.req.url ?? path,
      auth: authOf(principal)
    }
    await serve(Object.assign(ctx.req, { method, url, auth }), ctx.res)
  }
  for (const [method, summary] of Object.entries(methods))
    app.raw(
      method,
      path,
      {
        summary,
        auth: 'scope:tools',
        challenge: ctx =>
          `Bearer realm="rayne", scope="tools", resource_metadata="${originOf(ctx)}${metadataPath}${path}"`
      },
      handle
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

async function open(
  log: Logger,
  toolbox: Toolbox,
  openServer: () => Promise<(principal: Principal) => AnyServer>
) {
  const [{ createMcpTransport, authOf }, createServer] = await Promise.all([
    import('./transport.ts'),
    openServer()
  ])
  const onerror = (error: Error): void => log.debug({ error }, 'an MCP request was refused')
  const transport = createMcpTransport(createServer, onerror)
  const namesOf = async (): Promise<string> =>
    (await toolbox.list()).map(({ name, description }) => `${name} ${description}`).join('\n')
  let known = await namesOf()
  const watch = setInterval(() => {
    namesOf()
      .then(names => {
        if (names !== known) transport.toolsChanged()
        known = names
      })
      .catch(onerror)
  }, secondMs).unref()
  return {
    authOf,
    serve: transport.serve,
    async close(): Promise<void> {
      clearInterval(watch)
      await transport.close()
    }
  }
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
