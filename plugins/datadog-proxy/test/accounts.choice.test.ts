import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import { SimulatedAccountsToken, type SimulatedAccounts } from '../contract.ts'
import proxy from '../plugin.ts'
import {
  call,
  keys,
  problem,
  serviceOf,
  type Account,
  type App,
  type Listed
} from './account-calls.ts'
import { bodyOf, homeOf, startProxy } from './two-sites.ts'

const simulatedOf = (app: App): SimulatedAccounts =>
  app.services.resolve({ simulated: SimulatedAccountsToken })['simulated'] as SimulatedAccounts

test(
  'there is one default: it cannot be deleted, an inactive account cannot become it, ' +
    'and an inactive one is never used',
  async t => {
    const { app } = await startProxy(t)
    const datadog = serviceOf(app)
    for (const name of ['a', 'b'])
      await call(app, 'POST', '/v1/accounts', {
        name,
        ...keys,
        ...(name === 'b' ? { org_id: 7 } : {})
      })
    assert.deepEqual(await problem(app, 'DELETE', '/v1/accounts/a'), [
      400,
      "cannot delete default account 'a': make another one the default first, or deactivate this one"
    ])
    await call(app, 'PUT', '/v1/accounts/b', { active: false })
    assert.equal((await problem(app, 'POST', '/v1/accounts/b/default'))[0], 409)
    assert.equal((await problem(app, 'PUT', '/v1/accounts/a', { is_default: false }))[0], 409)
    await assert.rejects(
      datadog.account('b'),
      /the Datadog account 'b' is inactive: activate it with PUT \/v1\/accounts\/b/
    )
    assert.equal(await datadog.accountOfOrg('7'), undefined)
    assert.deepEqual(
      (await datadog.list()).map(account => account.name),
      ['a']
    )
    await call(app, 'PUT', '/v1/accounts/b', { active: true, is_default: true })
    assert.deepEqual(
      (await call<Listed>(app, 'GET', '/v1/accounts')).body.accounts.map(account => [
        account.name,
        account.is_default
      ]),
      [
        ['b', true],
        ['a', false]
      ]
    )
    assert.deepEqual((await call(app, 'POST', '/v1/accounts/a/default')).body, {
      message: 'account a set as default'
    })
    assert.equal((await datadog.account()).name, 'a')
    await call(app, 'PUT', '/v1/accounts/a', { active: false })
    await assert.rejects(datadog.account(), /the default Datadog account 'a' is inactive/)
    await assert.rejects(
      app.db('datadog_proxy_accounts').update({ is_default: true }),
      /datadog_proxy_accounts_default/
    )
  }
)

test(
  'accounts are found by name, by id and by organisation, here at once and in another ' +
    'process within two seconds',
  async t => {
    const connection = await createTestDatabase(t)
    const { app, home } = await startProxy(t, { connection })
    const other = await createTestApp(t, {
      plugins: [proxy],
      connection,
      env: { RAYNE_HOME: home }
    })
    await other.call('GET', '/v1/accounts')
    await call(app, 'POST', '/v1/accounts', {
      name: 'prod',
      ...keys,
      org_id: 321813,
      site: 'datadoghq.eu'
    })
    const here = serviceOf(app)
    assert.deepEqual(
      [
        (await here.account()).name,
        (await here.account('prod')).site,
        (await here.account('1')).name,
        (await here.accountOfOrg('321813'))?.appUrl,
        await here.accountOfOrg('1')
      ],
      ['prod', 'datadoghq.eu', 'prod', 'https://app.datadoghq.eu', undefined]
    )
    assert.equal(
      await here.account(),
      await here.account('prod'),
      'opened once, so that the limits of Datadog are counted once'
    )
    for (
      const until = Date.now() + 2_000;
      (await serviceOf(other).list()).length === 0;
      await sleep(20)
    )
      assert.ok(Date.now() < until, 'the other process does not see it')
    await call(app, 'PUT', '/v1/accounts/prod', { name: 'live' })
    assert.equal((await here.account('live')).name, 'live')
    await assert.rejects(here.account('prod'), /no Datadog account is named 'prod'; there is live/)
  }
)

test('the last account can be deleted, and the simulated one is the default again', async t => {
  const { app, sims } = await startProxy(t)
  const { apiKey, appKey, baseUrl } = sims.us
  simulatedOf(app).add({ name: 'demo', baseUrl, appUrl: baseUrl, apiKey, appKey })
  const names = async (): Promise<[string, boolean][]> =>
    (await call<Listed>(app, 'GET', '/v1/accounts')).body.accounts.map(account => [
      account.name,
      account.is_default
    ])
  for (const name of ['a', 'b']) await call(app, 'POST', '/v1/accounts', { name, ...keys })
  assert.equal((await problem(app, 'DELETE', '/v1/accounts/a'))[0], 400)
  assert.equal((await call(app, 'DELETE', '/v1/accounts/b')).status, 200)
  assert.deepEqual(await names(), [
    ['a', true],
    ['demo', false]
  ])
  assert.equal((await call(app, 'DELETE', '/v1/accounts/a')).status, 200)
  assert.deepEqual(await names(), [['demo', true]])
  assert.equal((await serviceOf(app).account()).name, 'demo')
  assert.equal(
    (await call<Account>(app, 'POST', '/v1/accounts', { name: 'a', ...keys })).status,
    201
  )
  assert.deepEqual(await names(), [
    ['a', true],
    ['demo', false]
  ])
})

test('the test asks Datadog about both keys and says which one is wrong', async t => {
  const { app, sims } = await startProxy(t)
  await call(app, 'POST', '/v1/accounts', bodyOf(sims.eu, { name: 'eu' }))
  assert.deepEqual(
    await call(app, 'POST', '/v1/accounts/eu/test').then(answer => [answer.status, answer.body]),
    [
      200,
      {
        valid: true,
        message: 'both keys work',
        base_url: 'https://api.datadoghq.eu',
        checks: [
          { name: 'api_key', ok: true, message: 'Datadog accepts the API key' },
          { name: 'app_key', ok: true, message: 'Datadog accepts the application key' }
        ]
      }
    ]
  )
  const verdict = async (change: object): Promise<unknown[]> => {
    await call(app, 'PUT', '/v1/accounts/eu', change)
    const { status, body } = await call<{
      valid: boolean
      message: string
      checks: { ok: boolean }[]
    }>(app, 'POST', '/v1/accounts/eu/test')
    return [status, body.valid, body.checks.map(check => check.ok), body.message]
  }
  const [, , ofApp, appSaid] = await verdict({ app_key: 'a-wrong-application-key' })
  assert.deepEqual(ofApp, [true, false])
  assert.match(String(appSaid), /^invalid application key: Datadog answered 403/)
  const [, , ofApi, apiSaid] = await verdict({ api_key: 'a-wrong-api-key', active: false })
  assert.deepEqual(ofApi, [false, false])
  assert.match(String(apiSaid), /^invalid API key: Datadog answered 403/)
  const [status, valid, , unreached] = await verdict({ site: 'us3.datadoghq.com' })
  assert.deepEqual([status, valid], [200, false])
  assert.match(String(unreached), /^connection failed: .*could not be reached/)
})

test(
  'keys of the environment become the account default, once; later the stored ' +
    'accounts win, and that is logged',
  async t => {
    const connection = await createTestDatabase(t)
    const env = {
      RAYNE_HOME: homeOf(t),
      DD_API_KEY: 'the-api-key-of-env',
      DD_APP_KEY: 'the-app-key-of-env',
      DD_SITE: 'https://app.datadoghq.eu/'
    }
    const logged: string[][] = []
    const start = async (more: object = {}) => {
      const lines: string[] = []
      logged.push(lines)
      return createTestApp(t, {
        plugins: [proxy],
        connection,
        env: { ...env, ...more },
        onLog: line => lines.push(line)
      })
    }
    const [first] = await Promise.all([start(), start()])
    assert.deepEqual(
      (await call<Listed>(first, 'GET', '/v1/accounts')).body.accounts.map(account => [
        account.name,
        account.site,
        account.is_default
      ]),
      [['default', 'datadoghq.eu', true]]
    )
    await start()
    await start({ DD_API_KEY: 'another-api-key-of-env', DD_SITE: 'evil.example' })
    assert.deepEqual(
      logged.map(lines => lines.filter(line => line.includes('are not used')).length),
      [0, 0, 0, 1]
    )
    assert.equal((await call<Listed>(first, 'GET', '/v1/accounts')).body.count, 1)
    await assert.rejects(
      createTestApp(t, { plugins: [proxy], env: { ...env, DD_SITE: 'evil.example' } }),
      /is not a Datadog site/
    )
  }
)

test(
  'simulated accounts are shown after the stored ones, can be tested, cannot be ' +
    'changed, and are the default only without any',
  async t => {
    const { app, sims } = await startProxy(t)
    const { apiKey, appKey, baseUrl } = sims.us
    simulatedOf(app).add({
      name: 'demo',
      baseUrl,
      appUrl: baseUrl,
      apiKey,
      appKey,
      orgId: '321813'
    })
    const {
      accounts: [shown]
    } = (await call<Listed>(app, 'GET', '/v1/accounts')).body
    assert.deepEqual(
      [
        shown?.id,
        shown?.name,
        shown?.simulated,
        shown?.is_default,
        shown?.base_url,
        shown?.created_at
      ],
      [-1, 'demo', true, true, baseUrl, null]
    )
    assert.equal(
      (await call<{ valid: boolean }>(app, 'POST', '/v1/accounts/demo/test')).body.valid,
      true
    )
    for (const [method, path] of [
      ['PUT', '/v1/accounts/demo'],
      ['DELETE', '/v1/accounts/demo'],
      ['POST', '/v1/accounts/demo/default']
    ] as const)
      assert.equal((await problem(app, method, path, method === 'PUT' ? {} : undefined))[0], 409)
    assert.equal((await problem(app, 'POST', '/v1/accounts', { name: 'demo', ...keys }))[0], 409)
    await call(app, 'POST', '/v1/accounts', { name: 'z', ...keys })
    assert.deepEqual(
      (await call<Listed>(app, 'GET', '/v1/accounts')).body.accounts.map(account => [
        account.name,
        account.is_default
      ]),
      [
        ['z', true],
        ['demo', false]
      ]
    )
  }
)

test('reading needs a login or a read token, writing and testing an admin', async t => {
  const { app } = await startProxy(t, {
    env: { RAYNE_AUTH: 'required', RAYNE_SECRET_KEY: 'a secret of more than thirty-two characters' }
  })
  const { token } = await app.store.addToken('reader', ['read'], undefined)
  const { token: admin } = await app.store.addToken('admin', ['admin'], undefined)
  const asked = async (
    secret: string | undefined,
    method: string,
    path: string,
    body?: unknown
  ): Promise<number> =>
    (
      await app.call(
        method,
        path,
        body,
        secret === undefined ? {} : { authorization: `Bearer ${secret}` }
      )
    ).status
  assert.equal(await asked(admin, 'POST', '/v1/accounts', { name: 'x', ...keys }), 201)
  const routes = [
    ['GET', '/v1/accounts', 200],
    ['GET', '/v1/accounts/stats', 200],
    ['GET', '/v1/accounts/x', 200],
    ['POST', '/v1/accounts', 403],
    ['PUT', '/v1/accounts/x', 403],
    ['DELETE', '/v1/accounts/x', 403],
    ['POST', '/v1/accounts/x/default', 403],
    ['POST', '/v1/accounts/x/test', 403]
  ] as const
  for (const [method, path, status] of routes)
    assert.deepEqual(
      [await asked(undefined, method, path), await asked(token, method, path)],
      [401, status],
      `${method} ${path}`
    )
})
