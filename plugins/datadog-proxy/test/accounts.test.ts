import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sites } from '../service/client/resolve-site.ts'
import {
  call,
  keys,
  problem,
  serviceOf,
  type Account,
  type Listed,
  type Problem
} from './account-calls.ts'
import { startProxy } from './two-sites.ts'

test(
  'an account is made, read, changed, renamed and deleted with the old field names, ' +
    'and its keys never come back',
  async t => {
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
    assert.deepEqual(await problem(app, 'GET', '/v1/accounts/prod'), [
      404,
      'account not found: prod'
    ])

    await call(app, 'POST', '/v1/accounts', { name: 'stage', ...keys })
    const deleted = await call(app, 'DELETE', '/v1/accounts/stage')
    assert.deepEqual([deleted.status, deleted.body], [200, { message: 'account stage deleted' }])
    assert.equal((await call<Listed>(app, 'GET', '/v1/accounts')).body.count, 1)
  }
)

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
  const refused = ['page=0', 'per_page=x', 'per_page=1001', 'cursor=%25', 'nonsense=1']
  // One that is no text, one that stands nowhere in the list, one that is written in another way.
  const forged = ['abc', 'bmFtZQ', 'MWFi_']
  for (const query of [...refused, ...forged.map(cursor => `cursor=${cursor}`)])
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
  await assert.rejects(serviceOf(app).account(), (error: Error) => {
    assert.ok(
      error.message.startsWith(
        'no Datadog account is configured: set DD_API_KEY and DD_APP_KEY (and DD_SITE outside US1), ' +
          'add one with POST /v1/accounts, or load the demo plugin'
      ),
      error.message
    )
    return true
  })
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

test(
  'whatever is sent as an account, the answer is 201, 400 or 409, and a stored site ' +
    'is a listed one (property)',
  async t => {
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
  }
)
