import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RayneError } from '../../../core/index.ts'
import {
  apiUrlOf,
  appUrlOf,
  resolveLoopback,
  resolveSite,
  sites
} from '../service/client/resolve-site.ts'
import { createDatadogService } from '../service/datadog.ts'
import type { AccountInput } from '../service/open-row.ts'
import { fakeDatadog, json, keys, quiet } from './loopback.ts'

const spellings = (site: string): string[] => [
  site,
  ` ${site} `,
  site.toUpperCase(),
  `https://api.${site}`,
  `https://api.${site}/`,
  `https://api.${site}/api/v1`,
  `https://api.${site}//api/v2/`,
  `app.${site}`,
  `https://app.${site}/monitors/1?x=1#y`,
  `http://${site}`
]

test('every pasted form of a site is understood', () => {
  for (const site of sites)
    for (const text of spellings(site)) assert.equal(resolveSite(text), site, text)
})

const evil = [
  'evil.example',
  'datadoghq.com.evil.example',
  'evil-datadoghq.com',
  'https://datadoghq.com@evil.example',
  'https://api.datadoghq.com:444',
  'user:pw@datadoghq.com',
  'datadoghq.com:8080',
  'https://evil.example/?x=datadoghq.com',
  'https://evil.example#datadoghq.com',
  'ftp://datadoghq.com',
  'javascript:alert(1)',
  '',
  ' ',
  'localhost',
  '127.0.0.1',
  'us9.datadoghq.com',
  'datadoghq.com.',
  'api.api.datadoghq.com',
  'dat\u0430doghq.com'
]
test('a site that is not on the list is refused, so keys cannot be sent there', () => {
  for (const text of evil)
    assert.throws(
      () => resolveSite(text),
      /is not a Datadog site, so no key is sent there; use one of datadoghq.com/,
      text
    )
})

test('whatever is pasted, a key can only travel to a listed site (property)', () => {
  const part = fc.constantFrom(
    'https://',
    'http://',
    'api.',
    'app.',
    '@',
    ':',
    '/',
    '\\',
    '?',
    '#',
    '.',
    '%2f',
    '\t',
    'evil.example',
    ...sites
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.array(part, { maxLength: 6 }).map(parts => parts.join(''))
      ),
      text => {
        let site: string
        try {
          site = resolveSite(text)
        } catch (error) {
          return error instanceof RayneError
        }
        return (
          (sites as readonly string[]).includes(site) &&
          new URL(apiUrlOf(site as never)).hostname === `api.${site}` &&
          resolveSite(site) === site
        )
      }
    ),
    { numRuns: 2000 }
  )
})

test('links for people have the right host per site', () => {
  assert.deepEqual(sites.map(appUrlOf), [
    'https://app.datadoghq.com',
    'https://us3.datadoghq.com',
    'https://us5.datadoghq.com',
    'https://ap1.datadoghq.com',
    'https://ap2.datadoghq.com',
    'https://uk1.datadoghq.com',
    'https://app.datadoghq.eu',
    'https://app.ddog-gov.com',
    'https://us2.ddog-gov.com'
  ])
})

test('a simulated account lives on this machine only', () => {
  const accepted = [
    'http://127.0.0.1:8126',
    'http://localhost:1/',
    'http://[::1]:99/acct/eu/',
    'http://127.0.0.1:5/api/v1',
    'http://127.0.0.1:5/acct/a/api/v1/'
  ]
  assert.deepEqual(accepted.map(resolveLoopback), [
    'http://127.0.0.1:8126',
    'http://localhost:1',
    'http://[::1]:99/acct/eu',
    'http://127.0.0.1:5',
    'http://127.0.0.1:5/acct/a'
  ])
  for (const text of [
    'http://10.0.0.1',
    'http://evil.example',
    'http://127.0.0.1.evil.example',
    'http://127.0.0.1@evil.example',
    'http://localhost.evil.example',
    'https://api.datadoghq.com',
    'file:///etc/passwd',
    ''
  ]) {
    assert.throws(() => resolveLoopback(text), /is not on this machine/, text)
  }
})

test('an address of its own is refused unless the account is simulated', () => {
  const service = createDatadogService({ accounts: [], log: quiet })
  for (const input of [
    { baseUrl: 'http://127.0.0.1:1' },
    { baseUrl: 'http://127.0.0.1:1', simulated: false },
    { site: 'datadoghq.com', baseUrl: 'http://127.0.0.1:1' }
  ]) {
    assert.throws(
      () => service.add({ name: 'x', ...keys, ...input } as unknown as AccountInput),
      /only a simulated account has an address of its own/
    )
  }
  assert.throws(
    () =>
      service.add({
        name: 'x',
        ...keys,
        simulated: true,
        baseUrl: 'http://evil.example',
        appUrl: ''
      }),
    /not on this machine/
  )
  assert.throws(
    () => service.add({ name: 'x', ...keys, apiKey: 'a\r\nx: y', site: 'datadoghq.com' }),
    /characters no key has/
  )
})

test('a real account sends both keys to its own site and nowhere else', async () => {
  const sent: [string, Headers][] = []
  const answer = async (url: unknown, init?: RequestInit) => {
    sent.push([String(url), new Headers(init?.headers)])
    return Response.json({ id: 1, query: 'q' })
  }
  const service = createDatadogService({
    log: quiet,
    fetch: answer as typeof fetch,
    accounts: [
      { name: 'eu', site: 'https://app.datadoghq.eu/', ...keys },
      { name: 'us5', site: 'us5.datadoghq.com', apiKey: 'k5', appKey: 'p5' }
    ]
  })
  await (await service.account('us5')).monitor('7')
  await (await service.account()).monitor('9007199254740993')
  assert.deepEqual(
    sent.map(([url]) => url),
    [
      'https://api.us5.datadoghq.com/api/v1/monitor/7',
      'https://api.datadoghq.eu/api/v1/monitor/9007199254740993'
    ]
  )
  assert.deepEqual(
    sent.map(([, headers]) => [headers.get('dd-api-key'), headers.get('dd-application-key')]),
    [
      ['k5', 'p5'],
      [keys.apiKey, keys.appKey]
    ]
  )
})

test('DD_SITE and the key variables of the environment do not leak into an account', async t => {
  const before = { ...process.env }
  Object.assign(process.env, {
    DD_SITE: 'evil.example',
    DD_API_KEY: 'leaked-api',
    DD_APP_KEY: 'leaked-app'
  })
  t.after(() => {
    for (const name of ['DD_SITE', 'DD_API_KEY', 'DD_APP_KEY'])
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
  })
  const { account, seen } = await fakeDatadog(t, (response, { url }) =>
    json(response, url.includes('validate') ? { valid: true } : [])
  )
  await account.validate()
  assert.deepEqual(
    seen.map(({ headers }) => [headers['dd-api-key'], headers['dd-application-key']]),
    [
      [keys.apiKey, undefined],
      [keys.apiKey, keys.appKey]
    ]
  )
})

test('accounts are found by name and organisation; a real one is the default', async () => {
  const service = createDatadogService({ log: quiet, accounts: [], whenEmpty: 'set DD_API_KEY' })
  await assert.rejects(
    service.account(),
    (error: RayneError) =>
      error.code === 'account-not-found' &&
      error.status === 404 &&
      error.message === 'set DD_API_KEY'
  )
  service.add({
    name: 'demo',
    simulated: true,
    baseUrl: 'http://127.0.0.1:1',
    appUrl: 'http://127.0.0.1:2/',
    ...keys,
    orgId: '321813'
  })
  assert.equal((await service.account()).site, 'simulated')
  service.add({ name: 'prod', site: 'datadoghq.eu', ...keys })
  assert.deepEqual(await service.list(), [
    { name: 'demo', site: 'simulated', simulated: true, isDefault: false },
    { name: 'prod', site: 'datadoghq.eu', simulated: false, isDefault: true }
  ])
  assert.equal((await service.accountOfOrg('321813'))?.name, 'demo')
  assert.equal(await service.accountOfOrg('1'), undefined)
  await assert.rejects(
    service.account('stage'),
    /no Datadog account is named 'stage'; there is demo, prod/
  )
  assert.throws(() => service.add({ name: 'prod', site: 'datadoghq.com', ...keys }), /already/)
})
