import { createToken, definePlugin, type Logger } from '../../core/index.ts'
import { createCheck, createPermissionCheck } from './service/check-accounts.ts'
import { config, type Config } from './config.ts'
import { DatadogToken, SecretsToken, SimulatedAccountsToken, datadogErrors } from './contract.ts'
import { accounts as accountsTable } from './migrations/0001_accounts.ts'
import { accountRoutes } from './routes/accounts.ts'
import { routes } from './routes/proxy.ts'
import { proxyErrors } from './service/errors.ts'
import { createKeyRing } from './service/seal.ts'
import { createDatadogService, type Datadog } from './service/datadog.ts'
import { createAccounts, type Accounts } from './service/accounts.ts'
import { createRotation } from './service/rotate-keys.ts'

export default definePlugin({
  id: 'datadog-proxy',
  version: '1.0.0',
  errors: { ...datadogErrors, ...proxyErrors },
  prefix: '/v1',
  config,
  migrations: [accountsTable],
  provides: [DatadogToken, SecretsToken, SimulatedAccountsToken],
  async register(app) {
    const { config: settings, db, log } = app
    // The official client would fill missing keys and the site of every account from these, for the whole process.
    for (const name of [
      'DD_API_KEY',
      'DD_APP_KEY',
      'DD_SITE',
      'RAYNE_DATADOG_PROXY_API_KEY',
      'RAYNE_DATADOG_PROXY_APP_KEY'
    ])
      delete process.env[name]
    const ring = createKeyRing({
      secret: settings.secret_key,
      previous: settings.secret_key_previous.split(',').map(text => text.trim()),
      home: settings.home
    })
    const accounts: Accounts = createAccounts({ db, ring, isTaken: name => datadog.isLocal(name) })
    const datadog: Datadog = createDatadogService({
      accounts: [],
      stored: accounts,
      log,
      whenEmpty: missing(settings)
    })
    await seed(accounts, settings, log)
    app.provide(DatadogToken, datadog)
    app.provide(SimulatedAccountsToken, {
      add: account => datadog.add({ ...account, simulated: true })
    })
    const rotate = createRotation({ db, ring, onRotated: accounts.forget })
    app.provide(SecretsToken, { rotate })
    app.provide(createToken('command.secrets-rotate'), async () => {
      const done = await rotate()
      return [done, [`accounts sealed anew: ${done.resealed}; older keys are not needed any more`]]
    })
    app.check('datadog', { required: false, run: createCheck(datadog) })
    app.onReady(async () => {
      for (const row of await accounts.list())
        app.check(`datadog:${row.name}`, {
          required: false,
          run: createPermissionCheck(row.name, () => datadog.open(row))
        })
    })
    accountRoutes(app, accounts, datadog)
    routes(app, datadog, settings)
  }
})

/** Keys of the environment become the first account; later they are not looked at, and that is said when they differ. */
async function seed(
  accounts: Accounts,
  { name, api_key: apiKey, app_key: appKey, site, org_id: orgId }: Config,
  log: Logger
): Promise<void> {
  if (!apiKey || !appKey) return
  const made = await accounts.seed({ name, apiKey, appKey, site, orgId: orgId || null })
  if (made)
    return log.info(
      { account: made.name, site: made.site },
      'the Datadog keys of the environment are stored, sealed, as the first account'
    )
  const rows = await accounts.list()
  const keys = await Promise.all(rows.map(row => accounts.keys(row).catch(() => undefined)))
  if (!keys.some(one => one?.apiKey === apiKey.trim() && one.appKey === appKey.trim()))
    log.warn(
      { accounts: rows.map(row => row.name) },
      'DD_API_KEY and DD_APP_KEY are not used: there are stored accounts, which win; change their keys with PUT /v1/accounts/<name>'
    )
}

function missing({ api_key: apiKey, app_key: appKey }: Config): string {
  const names = [apiKey ? '' : 'DD_API_KEY', appKey ? '' : 'DD_APP_KEY'].filter(Boolean)
  const next = names.length > 0 ? `set ${names.join(' and ')} (and DD_SITE outside US1), ` : ''
  return `no Datadog account is configured: ${next}add one with POST /v1/accounts, or load the demo plugin for a simulated one`
}
