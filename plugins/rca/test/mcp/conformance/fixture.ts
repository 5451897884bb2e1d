import { randomBytes } from 'node:crypto'
import { createRequestStateCodec, McpServer } from '@modelcontextprotocol/server'
import { definePlugin } from '../../../../../core/index.ts'
import { mountMcp } from '../../../mcp/mount.ts'
import { inputTools, schemaTool } from './input-tools.ts'
import { askingTools, plainTools } from './plain-tools.ts'
import { prompts, resources } from './resources.ts'

/** Mounts a server with what the conformance suite asks for as the product mounts its own. */
export const fixture = definePlugin({
  id: 'conformance',
  version: '1.0.0',
  register(app) {
    const codec = createRequestStateCodec<{ round: number }>({ key: randomBytes(32) })
    mountMcp(app, app.toolbox, () =>
      Promise.resolve(() => {
        const server = new McpServer(
          { name: 'conformance', version: '1.0.0' },
          {
            capabilities: {
              logging: {},
              completions: {},
              tools: { listChanged: true },
              prompts: { listChanged: true },
              resources: {}
            },
            requestState: { verify: codec.verify }
          }
        )
        plainTools(server)
        askingTools(server)
        inputTools(server, codec)
        schemaTool(server)
        resources(server)
        prompts(server)
        return server
      })
    )
  }
})
