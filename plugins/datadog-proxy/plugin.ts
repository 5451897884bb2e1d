import { definePlugin } from '../../core/index.ts'
import { createCheck } from './check.ts'
import { config, type Config } from './config.ts'
import { DatadogToken, SimulatedAccountsToken } from './contract.ts'
import { createDatadogService, type AccountInput } from './service.ts'

export default definePlugin({
  id: 'datadog-proxy',
  version: '1.0.0',
  prefix: '/v1',
  config,
  provides: [DatadogToken, SimulatedAccountsToken],
  register(app) {
    // The official client would fill missing keys and the site of every account from these, for the whole process.
    for (const name of ['DD_API_KEY', 'DD_APP_KEY', 'DD_SITE']) delete process.env[name]
    const service = createDatadogService({ accounts: accountOf(app.config), log: app.log, whenEmpty: missing(app.config) })
    app.provide(DatadogToken, service)
    app.provide(SimulatedAccountsToken, { add: account => service.add({ ...account, simulated: true }) })
    app.check('datadog', { required: false, run: createCheck(service) })
  }
})

function accountOf({ name, api_key: apiKey, app_key: appKey, site, org_id: orgId }: Config): AccountInput[] {
  return apiKey && appKey ? [{ name, apiKey, appKey, site, ...(orgId ? { orgId } : {}) }] : []
}

function missing({ api_key: apiKey, app_key: appKey }: Config): string {
  const names = [apiKey ? '' : 'DD_API_KEY', appKey ? '' : 'DD_APP_KEY'].filter(Boolean)
  return `no Datadog account is configured: set ${names.join(' and ')} (and DD_SITE outside US1), or load the demo plugin for a simulated one`
}
