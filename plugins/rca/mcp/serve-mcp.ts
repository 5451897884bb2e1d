import type { PluginApp, Static, Toolbox } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import type { config } from '../config.ts'
import { mcpCommand } from './command.ts'
import { createKeptAnswers } from './kept-answers.ts'
import { mountMcp } from './mount.ts'
import { createRate } from './rate.ts'

/** Serves the tools, resources and prompts to MCP clients: at `/mcp`, and by `rayne mcp`. */
export function serveMcp(
  app: PluginApp<Static<typeof config>>,
  datadog: DatadogService,
  toolbox: Toolbox
): void {
  const { db, log, config: settings } = app
  const parts = {
    toolbox,
    db,
    log,
    version: '1.0.0',
    kept: createKeptAnswers(),
    rate: createRate(settings.mcp_calls_per_minute),
    readOnly: settings.mcp_read_only,
    accounts: async () => (await datadog.list()).map(({ name }) => name)
  }
  mountMcp(app, toolbox, async () => {
    const { createMcpServer } = await import('./server.ts')
    return principal => createMcpServer({ ...parts, principal })
  })
  mcpCommand(app, parts)
}
