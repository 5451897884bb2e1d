import path from 'node:path'
import { bootError, homeFolder, type PluginApp, type Static } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import type { config } from '../config.ts'
import { openSandbox } from '../sandbox/sandbox.ts'
import { toolCommands } from '../commands/tools.ts'
import { createToolTool } from './create-tool.ts'
import { createLifecycle } from './lifecycle.ts'
import { createLiveTools, type ReadAccount } from './live-tools.ts'
import { createToolFiles } from './show-files.ts'

/** The toolbox with what was written at run time, and all that decides about it. */
export function openWrittenTools(app: PluginApp<Static<typeof config>>, datadog: DatadogService) {
  const { db, log, toolbox: base, config: settings } = app
  if (settings.auto_approve && settings.node_env !== 'development')
    throw bootError(
      'RAYNE_RCA_AUTO_APPROVE serves tools nobody looked at: it is for NODE_ENV=development alone'
    )
  const sandbox = openSandbox({ minimum: settings.sandbox })
  const readAccount: ReadAccount = async (account, where, query, signal) =>
    (await datadog.account(account)).get({ path: where, query }, { signal })
  const files = createToolFiles(path.join(homeFolder(settings.home), 'tools', 'auto'))
  const live = createLiveTools({ db, log, base, sandbox, readAccount, files })
  const lifecycle = createLifecycle({
    db,
    log,
    sandbox,
    reserved: async () => (await base.list()).map(({ name }) => name),
    autoApprove: settings.auto_approve,
    changed: live.forget,
    async readSimulated() {
      const simulated = (await datadog.list()).find(account => account.simulated)
      return simulated && ((...question) => readAccount(simulated.name, ...question))
    }
  })
  app.tool(createToolTool(lifecycle))
  app.check('sandbox', {
    required: false,
    async run() {
      const { level, refused } = await sandbox.standing()
      return level === undefined
        ? { ok: false, detail: `tools written at run time are off: ${refused}` }
        : { ok: true, detail: `tools written at run time are held at level '${level}'` }
    }
  })
  app.onClose(() => sandbox.close())
  toolCommands(app, lifecycle)
  return { toolbox: live.toolbox, lifecycle }
}
