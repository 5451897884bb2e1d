import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import {
  DatadogToken,
  SimulatedAccountsToken,
  type DatadogService,
  type SimulatedAccounts
} from '../contract.ts'
import plugin from '../plugin.ts'
import { keys } from './loopback.ts'
import { bodyOf, homeOf, startProxy } from './two-sites.ts'

type App = Awaited<ReturnType<typeof createTestApp>>
const provided = (app: App) =>
  app.services.resolve({ datadog: DatadogToken, simulated: SimulatedAccountsToken }) as unknown as {
    datadog: DatadogService
    simulated: SimulatedAccounts
  }

test('without keys the plugin starts and says what to set', async t => {
  const { datadog } = provided(await createTestApp(t, { plugins: [plugin] }))
  assert.deepEqual(await datadog.list(), [])
  await assert.rejects(
    datadog.account(),
    /no Datadog account is configured: set DD_API_KEY and DD_APP_KEY/
  )
})

test('one key without the other is refused at the start, by the name of the one that is missing', async t => {
  for (const [env, says] of [
    [
      { DD_API_KEY: 'k' },
      /^DD_API_KEY is set and DD_APP_KEY is not: .*set DD_APP_KEY, or unset DD_API_KEY/
    ],
    [{ DD_APP_KEY: 'p' }, /^DD_APP_KEY is set and DD_API_KEY is not/],
    [{ DD_API_KEY: 'k', DD_APP_KEY: ' ' }, /^DD_API_KEY is set and DD_APP_KEY is not/]
  ] as const)
    await assert.rejects(createTestApp(t, { plugins: [plugin], env }), {
      code: 'boot-failed',
      message: says
    })
})

test('the configured account is the default, with a pasted address for its site', async t => {
  const { datadog, simulated } = provided(
    await createTestApp(t, {
      plugins: [plugin],
      env: {
        RAYNE_HOME: homeOf(t),
        DD_API_KEY: 'k',
        DD_APP_KEY: 'p',
        DD_API_URL: 'https://api.ddog-gov.com/',
        RAYNE_DATADOG_PROXY_ORG_ID: '42'
      }
    })
  )
  simulated.add({
    name: 'demo',
    baseUrl: 'http://127.0.0.1:1',
    appUrl: 'http://127.0.0.1:2',
    ...keys
  })
  const account = await datadog.account()
  assert.deepEqual(
    [account.name, account.site, account.simulated, account.appUrl],
    ['default', 'ddog-gov.com', false, 'https://app.ddog-gov.com']
  )
  assert.equal((await datadog.accountOfOrg('42'))?.name, 'default')
  assert.equal((await datadog.account('demo')).simulated, true)
  assert.throws(
    () => simulated.add({ name: 'far', baseUrl: 'http://evil.example', appUrl: '', ...keys }),
    /not on this machine/
  )
})

test('a site that is not on the list stops the start', async t => {
  await assert.rejects(
    createTestApp(t, {
      plugins: [plugin],
      env: { RAYNE_HOME: homeOf(t), DD_API_KEY: 'k', DD_APP_KEY: 'p', DD_SITE: 'evil.example' }
    }),
    /is not a Datadog site/
  )
})

test('the variables the official client would read by itself are gone after the start', async t => {
  Object.assign(process.env, { DD_SITE: 'x', DD_API_KEY: 'x', DD_APP_KEY: 'x' })
  await createTestApp(t, { plugins: [plugin] })
  assert.deepEqual(
    [process.env['DD_SITE'], process.env['DD_API_KEY'], process.env['DD_APP_KEY']],
    [undefined, undefined, undefined]
  )
})

test('the doctor names for each account the permission that is missing and what fails without it', async t => {
  const connection = await createTestDatabase(t)
  const { app: first, sims, simulator, home } = await startProxy(t, { connection })
  await first.call('POST', '/v1/accounts', bodyOf(sims.us, { name: 'prod' }))
  await first.call(
    'POST',
    '/v1/accounts',
    bodyOf(sims.eu, { name: 'wrong', app_key: 'a-wrong-application-key' })
  )
  for (const path of ['/api/v2/logs/events/search', '/api/v1/notebooks'])
    simulator.addFault({ match: { path, account: sims.us.name }, then: { type: 'auth' } })
  const app = await createTestApp(t, { plugins: [plugin], connection, env: { RAYNE_HOME: home } })
  const [, , prod, wrong, ...more] = await app.health.report()
  assert.deepEqual(
    [prod?.name, prod?.ok, prod?.required, wrong?.name, wrong?.ok, more],
    ['datadog:prod', false, false, 'datadog:wrong', false, []]
  )
  assert.match(
    prod?.detail ?? '',
    /^the application key lacks logs_read_data \(the analysis' logs and \/v1\/logs\/search\), notebooks_read \(finding the notebook of an analysis\); 7 of 9 reads work on datadoghq\.com; notebooks_write, .* not tried, because trying them would write$/
  )
  assert.match(prod?.fix ?? '', /Application Keys in Datadog/)
  assert.match(wrong?.detail ?? '', /it is the application key/)
  const asked = simulator.journal().length
  await app.health.report()
  assert.equal(simulator.journal().length, asked, 'a verdict is kept for a while')
  assert.equal(
    (await app.health.report(true)).some(check => check.name.startsWith('datadog')),
    false,
    '/readyz does not call Datadog'
  )
})
