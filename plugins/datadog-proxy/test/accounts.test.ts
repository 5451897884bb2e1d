import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import { sites } from '../service/client/resolve-site.ts'
import {
  DatadogToken,
  SimulatedAccountsToken,
  type DatadogService,
  type SimulatedAccounts
} from '../contract.ts'
import proxy from '../plugin.ts'
import { bodyOf, homeOf, startProxy } from './two-sites.ts'

interface Account {
  id: number
  name: string
  org_id: number | null
  org_name: string | null
  site: string
  base_url: string
  is_default: boolean
  active: boolean
  created_at: string
  updated_at: string
  simulated: boolean
}
interface Listed {
  accounts: Account[]
  count: number
  total_count: number
  next_cursor: string | null
}
interface Problem {
  error: string
  type: string
  status: number
  errors?: { pointer: string }[]
}
type App = Awaited<ReturnType<typeof createTestApp>>
type Call = App['call']

const keys = { api_key: 'api-key-of-a-test', app_key: 'app-key-of-a-test' }
const call = async <T>(
  app: { call: Call },
  method: string,
  path: string,
  body?: unknown
): Promise<{ status: number; body: T }> =>
  (await app.call(method, path, body)) as { status: number; body: T }
const problem = async (
  app: { call: Call },
  method: string,
  path: string,
  body?: unknown
): Promise<[number, string]> => {
  const answer = await call<Problem>(app, method, path, body)
  return [answer.status, answer.body.error]
}
const serviceOf = (app: App): DatadogService =>
  app.services.resolve({ datadog: DatadogToken })['datadog'] as DatadogService

test('an account is made, read, changed, renamed and deleted with the old field names, and its keys never come back', async t => {
  const { app } = await startProxy(t)
  const made = await call<Account>(app, 'POST', '/v1/accounts', {
    name: ' prod ',
    ...keys,
    org_id: 321813,
    org_name: 'Shop',
    base_url: 'https://api.datadoghq.eu/api/v1/'
  })
  assert.equal(made.status, 201)
  const { created_at, updated_at, ...rest } = made.body
  assert.deepEqual(rest, {
    id: 1,
    name: 'prod',
    org_id: 321813,
    org_name: 'Shop',
    site: 'datadoghq.eu',
    base_url: 'https://api.datadoghq.eu',
    is_default: true,
    active: true,
    simulated: false
  })
  assert.ok(Date.parse(created_at) > Date.now() - 60_000 && updated_at === created_at)
  assert.deepEqual((await call<Account>(app, 'GET', '/v1/accounts/prod')).body, made.body)

  const changed = await call<Account>(app, 'PUT', '/v1/accounts/prod', {
    name: 'live',
    org_name: null,
    org_id: 0,
    site: 'us5.datadoghq.com',
    api_key: 'another-api-key'
  })
  assert.deepEqual(
    [
      changed.status,
      changed.body.name,
      changed.body.org_id,
      changed.body.org_name,
      changed.body.base_url,
      changed.body.is_default
    ],
    [200, 'live', null, 'Shop', 'https://api.us5.datadoghq.com', true]
  )
  assert.ok(changed.body.updated_at > created_at)
  assert.deepEqual(
    (await call<Account>(app, 'PUT', '/v1/accounts/live', changed.body)).body.name,
    'live',
    'what was read may be written back'
  )
  assert.deepEqual(await problem(app, 'GET', '/v1/accounts/prod'), [404, 'account not found: prod'])

  await call(app, 'POST', '/v1/accounts', { name: 'stage', ...keys })
  const deleted = await call(app, 'DELETE', '/v1/accounts/stage')
  assert.deepEqual([deleted.status, deleted.body], [200, { message: 'account stage deleted' }])
  assert.equal((await call<Listed>(app, 'GET', '/v1/accounts')).body.count, 1)
})

test('the list has the default first, then the names; pages and cursors cut it without a gap', async t => {
  const { app } = await startProxy(t)
  for (const name of ['m', 'b', 'z', 'a'])
    await call(app, 'POST', '/v1/accounts', { name, ...keys, is_default: name === 'z' })
  const { body } = await call<Listed>(app, 'GET', '/v1/accounts')
  assert.deepEqual(
    [body.accounts.map(account => account.name), body.count, body.total_count, body.next_cursor],
    [['z', 'a', 'b', 'm'], 4, 4, null]
  )
  assert.deepEqual(
    body.accounts.map(account => account.is_default),
    [true, false, false, false]
  )
  const first = (await call<Listed>(app, 'GET', '/v1/accounts?per_page=3')).body
  const second = (
    await call<Listed>(app, 'GET', `/v1/accounts?per_page=3&cursor=${first.next_cursor}`)
  ).body
  assert.deepEqual(
    [...first.accounts, ...second.accounts].map(account => account.name),
    ['z', 'a', 'b', 'm']
  )
  assert.deepEqual(
    (await call<Listed>(app, 'GET', '/v1/accounts?per_page=3&page=2')).body.accounts.map(
      account => account.name
    ),
    ['m']
  )
  for (const query of ['page=0', 'per_page=x', 'per_page=1001', 'cursor=%25', 'nonsense=1'])
    assert.equal((await call(app, 'GET', `/v1/accounts?${query}`)).status, 400, query)
  assert.deepEqual((await call(app, 'GET', '/v1/accounts/stats')).body, {
    cached_by_org_id: 0,
    cached_by_name: 4,
    default_account: 'z'
  })
})

test('without an account lists are empty, not null', async t => {
  const { app } = await startProxy(t)
  assert.deepEqual((await call<Listed>(app, 'GET', '/v1/accounts')).body, {
    accounts: [],
    count: 0,
    total_count: 0,
    page: 1,
    per_page: 100,
    next_cursor: null
  })
  assert.deepEqual((await call(app, 'GET', '/v1/accounts/stats')).body, {
    cached_by_org_id: 0,
    cached_by_name: 0,
    default_account: null
  })
  await assert.rejects(
    serviceOf(app).account(),
    /no Datadog account is configured: set DD_API_KEY and DD_APP_KEY \(and DD_SITE outside US1\), add one with POST \/v1\/accounts, or load the demo plugin/
  )
})

test('a duplicate is 409 and names the field, at creation and at change, also for two at once', async t => {
  const { app } = await startProxy(t)
  for (const [name, org_id] of [
    ['one', 1],
    ['two', 2]
  ] as const)
    await call(app, 'POST', '/v1/accounts', { name, ...keys, org_id })
  const conflicts = [
    ['POST', '/v1/accounts', { name: 'one', ...keys }, 'name'],
    ['POST', '/v1/accounts', { name: 'new', ...keys, org_id: '0002' }, 'org_id'],
    ['PUT', '/v1/accounts/two', { name: 'one' }, 'name'],
    ['PUT', '/v1/accounts/two', { org_id: 1 }, 'org_id']
  ] as const
  for (const [method, path, body, field] of conflicts) {
    const answer = await call<Problem>(app, method, path, body)
    assert.deepEqual(
      [answer.status, answer.body.type, answer.body.errors?.map(error => error.pointer)],
      [409, 'urn:rayne:error:account-exists', [`/body/${field}`]]
    )
  }
  const both = await Promise.all(
    [1, 2, 3].map(() => call(app, 'POST', '/v1/accounts', { name: 'race', ...keys, org_id: 9 }))
  )
  assert.deepEqual(both.map(answer => answer.status).toSorted(), [201, 409, 409])
  assert.equal(
    (await call(app, 'PUT', '/v1/accounts/two', { name: 'two', org_id: 2 })).status,
    200,
    'its own values are no duplicates'
  )
})

test('bad input is 400 and names what is wrong; nothing is stored', async t => {
  const { app, left } = await startProxy(t)
  const bad: [object | string, RegExp][] = [
    [{}, /name is required/],
    [{ name: 'x', app_key: 'k' }, /api_key is required/],
    [{ name: 'x', api_key: 'k' }, /app_key is required/],
    [{ name: '', ...keys }, /\/body\/name/],
    [{ name: '   ', ...keys }, /\/body\/name needs 1 to 255/],
    [{ name: 'x'.repeat(256), ...keys }, /\/body\/name/],
    [{ name: 'a/b', ...keys }, /without \//],
    [{ name: '*', ...keys }, /without \//],
    [{ name: '..', ...keys }, /cannot be '\.\.'/],
    [{ name: 'stats', ...keys }, /cannot be 'stats'/],
    [
      { name: 'x', api_key: 'two words', app_key: 'k' },
      /the API key is empty or has characters no key has/
    ],
    [{ name: 'x', api_key: 'k', app_key: ' ' }, /the application key is empty/],
    [{ name: 'x', ...keys, org_id: -1 }, /org_id/],
    [{ name: 'x', ...keys, org_id: 'abc' }, /org_id/],
    [{ name: 'x', ...keys, active: 'yes' }, /active/],
    [{ name: 7, ...keys }, /name/],
    [{ name: 'x', ...keys, org_name: 'a\u0000b' }, /org_name/],
    [{ name: `prod ${keys.api_key}`, ...keys }, /a key stands in the name/],
    [
      { name: 'x', ...keys, site: 'datadoghq.eu', base_url: 'https://api.datadoghq.com' },
      /name one of them/
    ],
    ['{', /not valid JSON/],
    ['', /must be object|is required/]
  ]
  for (const [body, reason] of bad) {
    const [status, error] = await problem(app, 'POST', '/v1/accounts', body)
    assert.equal(status, 400, JSON.stringify(body))
    assert.match(error, reason)
  }
  assert.equal((await call<Listed>(app, 'GET', '/v1/accounts')).body.count, 0)
  for (const [method, path] of [
    ['PUT', '/v1/accounts/none'],
    ['DELETE', '/v1/accounts/none'],
    ['POST', '/v1/accounts/none/default'],
    ['POST', '/v1/accounts/none/test']
  ] as const)
    assert.deepEqual(await problem(app, method, path, method === 'PUT' ? {} : undefined), [
      404,
      'account not found: none'
    ])
  assert.deepEqual(left, [])
})

const evil = [
  'http://attacker.example',
  'https://api.datadoghq.com.attacker.example',
  'https://datadoghq.com@attacker.example',
  'https://attacker.example/?x=datadoghq.com',
  '127.0.0.1:8126',
  'http://localhost',
  'https://api.datadoghq.com:444',
  'ftp://datadoghq.com',
  'file:///etc/passwd',
  'dat\u0430doghq.com',
  'datadoghq.com.'
]
test('a site that is not on the list is refused at creation and at change, and no key is ever sent to it', async t => {
  const { app, left, simulator } = await startProxy(t)
  await call(app, 'POST', '/v1/accounts', { name: 'prod', ...keys })
  for (const address of evil)
    for (const field of ['site', 'base_url']) {
      for (const answer of [
        await problem(app, 'POST', '/v1/accounts', { name: 'x', ...keys, [field]: address }),
        await problem(app, 'PUT', '/v1/accounts/prod', { [field]: address })
      ]) {
        assert.equal(answer[0], 400, address)
        assert.match(
          answer[1],
          /is not a Datadog site, so no key is sent there; use one of datadoghq\.com/
        )
      }
    }
  await call(app, 'POST', '/v1/accounts/prod/test')
  assert.equal(
    (await call<Account>(app, 'GET', '/v1/accounts/prod')).body.base_url,
    'https://api.datadoghq.com'
  )
  assert.deepEqual([left, simulator.journal().length > 0], [[], true])
})

test('every pasted form of every site is normalised; commercial when none is named', async t => {
  const { app } = await startProxy(t)
  await call(app, 'POST', '/v1/accounts', { name: 'x', ...keys, base_url: '', site: null })
  assert.equal((await call<Account>(app, 'GET', '/v1/accounts/x')).body.site, 'datadoghq.com')
  for (const site of sites)
    for (const text of [
      site,
      `https://api.${site}`,
      `https://api.${site}/`,
      `https://api.${site}/api/v1`,
      `https://api.${site}//api/v2/`,
      `app.${site}`,
      `https://app.${site}/monitors`,
      `http://${site}`
    ]) {
      assert.deepEqual(
        (await call<Account>(app, 'PUT', '/v1/accounts/x', { base_url: text })).body.base_url,
        `https://api.${site}`,
        text
      )
    }
})

test('whatever is sent as an account, the answer is 201, 400 or 409, and a stored site is a listed one (property)', async t => {
  const { app } = await startProxy(t)
  const piece = fc.oneof(
    fc.constantFrom(...sites, ...evil, 'https://', '@', '\\', '%2e', '/api/v1'),
    fc.string({ maxLength: 12 })
  )
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.integer(),
    fc.constant(null),
    fc.array(piece, { maxLength: 3 }).map(parts => parts.join(''))
  )
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        name: value,
        api_key: fc.oneof(fc.constant('k'), value),
        app_key: fc.oneof(fc.constant('k'), value)
      }),
      fc.record(
        { site: value, base_url: value, org_id: value, org_name: value, active: value },
        { requiredKeys: [] }
      ),
      async (needed, more) => {
        const { status, body } = await call<Account & Problem>(app, 'POST', '/v1/accounts', {
          ...needed,
          ...more
        })
        if (status === 201)
          return (
            (sites as readonly string[]).includes(body.site) &&
            body.base_url === `https://api.${body.site}`
          )
        return (status === 400 || status === 409) && typeof body.error === 'string'
      }
    ),
    { numRuns: 80 }
  )
})

test('there is one default: it cannot be deleted, an inactive account cannot become it, and an inactive one is never used', async t => {
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
})

test('accounts are found by name, by id and by organisation, here at once and in another process within two seconds', async t => {
  const connection = await createTestDatabase(t)
  const { app, home } = await startProxy(t, { connection })
  const other = await createTestApp(t, { plugins: [proxy], connection, env: { RAYNE_HOME: home } })
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

test('keys of the environment become the account default, once; later the stored accounts win, and that is logged', async t => {
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
})

test('simulated accounts are shown after the stored ones, can be tested, cannot be changed, and are the default only without any', async t => {
  const { app, sims } = await startProxy(t)
  const { apiKey, appKey, baseUrl } = sims.us
  ;(
    app.services.resolve({ simulated: SimulatedAccountsToken })['simulated'] as SimulatedAccounts
  ).add({ name: 'demo', baseUrl, appUrl: baseUrl, apiKey, appKey, orgId: '321813' })
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
})

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
