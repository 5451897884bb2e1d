import { fileURLToPath } from 'node:url'
import { homeFolder, Type, type PluginApp, type Principal } from '../../../core/index.ts'
import { clientConfig, clientNames } from './client-config.ts'
import type { McpParts } from './server.ts'

/** Who calls over stdin: whoever may start the program. */
const operator: Principal = {
  kind: 'local',
  id: 'stdio',
  name: 'local admin',
  role: 'admin',
  scopes: []
}

/** `rayne mcp`: the tools over stdin and stdout, or how to set a client up. */
export function mcpCommand(app: PluginApp<unknown>, parts: McpParts): void {
  app.command({
    name: 'mcp',
    summary: 'the tools for an MCP client, over stdin and stdout',
    description:
      'Speaks the Model Context Protocol over stdin and stdout until stdin ends; nothing else is ' +
      'written to stdout. With --print-config it prints how to connect a client.',
    standalone: given => given['print_config'] !== undefined,
    options: Type.Object({
      print_config: Type.Optional(
        Type.Union(
          clientNames.map(name => Type.Literal(name)),
          { title: 'client', description: `how to connect: ${clientNames.join(', ')}` }
        )
      ),
      url: Type.Optional(
        Type.String({
          pattern: '^https?://',
          maxLength: 2_000,
          title: 'address',
          description: 'of a running server, as http://127.0.0.1:8080/mcp, for --print-config'
        })
      )
    }),
    async run({ print_config: client, url }, { signal, environment }) {
      if (client !== undefined) {
        const lines = clientConfig(client, {
          url,
          command: [
            process.execPath,
            fileURLToPath(new URL('../../../core/bin.js', import.meta.url)),
            'mcp'
          ],
          home: homeFolder(environment['RAYNE_HOME'] ?? '.rayne')
        })
        return { value: { client, config: lines.join('\n') }, lines }
      }
      await serveStdio(parts, signal)
      return { value: undefined, lines: [] }
    }
  })
}

/** Ends when stdin does, or at the signal. */
async function serveStdio(parts: McpParts, signal: AbortSignal): Promise<void> {
  const [stdio, { createMcpServer }] = await Promise.all([
    import('@modelcontextprotocol/server/stdio'),
    import('./server.ts')
  ])
  const handle = stdio.serveStdio(() => createMcpServer({ ...parts, principal: operator }), {
    onerror: error => parts.log.warn({ error }, 'an MCP message was not understood')
  })
  await new Promise<void>(resolve => {
    process.stdin.once('end', resolve).once('close', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await handle.close()
}
