import { definePlugin } from '../../core/index.ts'
import { commands } from './commands.ts'
import { config } from './config.ts'
import { DatadogToken, SecretsToken, SimulatedAccountsToken, datadogErrors } from './contract.ts'
import { accounts as accountsTable } from './migrations/0001_accounts.ts'
import { routes } from './routes/all.ts'
import { createAccounts, type Accounts } from './service/accounts.ts'
import { createCheck, createPermissionCheck } from './service/check-accounts.ts'
import { proxiedFetch } from './service/client/environment-proxy.ts'
import { createDatadogService, type Datadog } from './service/datadog.ts'
import { proxyErrors } from './service/errors.ts'
import { createPrivateLocation } from './service/private-location.ts'
import { createRotation } from './service/rotate-keys.ts'
import { createKeyRing } from './service/seal.ts'
import { hideKeys, seedAccount, whenEmpty } from './service/seed-account.ts'

export default definePlugin({
  id: 'datadog-proxy',
  version: '1.0.0',
  errors: { ...datadogErrors, ...proxyErrors },
  prefix: '/v1',
  config,
  migrations: [accountsTable],
  provides: [DatadogToken, SecretsToken, SimulatedAccountsToken],
  register(app) {
    const { config: settings, db, log } = app
    hideKeys(process.env)
    const ring = createKeyRing({
      secret: settings.secret_key,
      previous: settings.secret_key_previous.split(',').map(text => text.trim()),
      home: settings.home
    })
    const accounts: Accounts = createAccounts({ db, ring, isTaken: name => datadog.isLocal(name) })
    const proxied = proxiedFetch(settings.https_proxy, settings.no_proxy)
    const datadog: Datadog = createDatadogService({
      accounts: [],
      stored: accounts,
      log,
      proxied,
      whenEmpty
    })
    app.provide(DatadogToken, datadog)
    app.provide(SimulatedAccountsToken, {
      add: account => datadog.add({ ...account, simulated: true })
    })
    const rotate = createRotation({ db, ring, onRotated: accounts.forget })
    app.provide(SecretsToken, { rotate })
    commands(app, rotate)
    app.check('datadog', { required: false, run: createCheck(datadog) })
    app.onReady(async () => {
      await seedAccount(accounts, settings, log)
      for (const row of await accounts.list())
        app.check(`datadog:${row.name}`, {
          required: false,
          run: createPermissionCheck(row.name, () => datadog.open(row))
        })
    })
    const privateLocation = createPrivateLocation(settings, log)
    for (const add of routes) add(app, { accounts, datadog, privateLocation })
  }
})
