import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { definePlugin } from '../../../core/index.ts'
import { createTestApp } from '../../../core/testing.ts'
import { DatadogError } from '../contract.ts'
import { createPrivateLocation } from '../service/private-location.ts'
import { proxyRoutes } from '../routes/all.ts'
import { fakeDatadog, json, keys, quiet } from './loopback.ts'
import { proxyApp } from './proxy-app.ts'
import type { Datadog } from '../service/datadog.ts'

const off = {
  private_location_runner: '',
  private_location_service_runner: 'systemctl',
  private_location_image: 'x',
  private_location_unit: 'x.service',
  private_location_timeout_seconds: 5
}

/** The product with one account whose requests reach `answer`. */
async function appWith(t: TestContext, answer: Parameters<typeof fakeDatadog>[1]) {
  const { url, seen } = await fakeDatadog(t, answer)
  return { seen, ...(await proxyApp(t, [{ name: 'fake', baseUrl: url, appUrl: url, ...keys }])) }
}

const statuses: [number, number, string][] = [
  [400, 400, 'datadog-invalid'],
  [401, 403, 'datadog-forbidden'],
  [403, 403, 'datadog-forbidden'],
  [404, 404, 'datadog-not-found'],
  [409, 409, 'datadog-conflict'],
  [422, 422, 'datadog-invalid']
]
test("Datadog's refusals are passed on with its words", async t => {
  let status = 0
  const { get } = await appWith(t, response =>
    json(response, { errors: ['because of this'] }, status)
  )
  for (const [theirs, ours, code] of statuses) {
    status = theirs
    const answer = await get('/v1/hosts')
    assert.deepEqual(
      [answer.status, answer.body.type, answer.body.datadog_status],
      [ours, `urn:rayne:error:${code}`, theirs]
    )
    assert.match(answer.body.error, /because of this/)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  }
})

test(
  'failures of Datadog and garbage are 502, a time-out is 504, a limit 429 with the ' +
    'time to wait: never 200',
  async t => {
    let failure: DatadogError | undefined
    const account = {
      name: 'a',
      simulated: true,
      page: () => Promise.reject(failure as Error),
      hostTotals: () => Promise.reject(failure as Error)
    }
    const service = {
      account: async () => account,
      list: async () => [{ name: 'a', site: 'x', simulated: true, isDefault: true }]
    } as unknown as Datadog
    const plugin = definePlugin({
      id: 'proxies',
      version: '1.0.0',
      prefix: '/v1',
      register(app) {
        const privateLocation = createPrivateLocation(off, quiet)
        for (const add of proxyRoutes) add(app, { datadog: service, privateLocation })
      }
    })
    const app = await createTestApp(t, { plugins: [plugin] })
    for (const [kind, status] of [
      ['unavailable', 502],
      ['garbage', 502],
      ['timeout', 504],
      ['rate_limited', 429]
    ] as const) {
      failure = new DatadogError(
        kind,
        `it was ${kind}`,
        kind === 'rate_limited' ? { retryAfterSeconds: 12 } : {}
      )
      for (const path of [
        '/v1/hosts',
        '/v1/hosts/active',
        '/v1/hosts?account=*',
        '/v1/monitors/triggered',
        '/v1/services',
        '/v1/downtimes',
        '/v1/events'
      ]) {
        const answer = await app.call('GET', path)
        assert.deepEqual(
          [answer.status, (answer.body as { error: string }).error.includes(`it was ${kind}`)],
          [status, true],
          path
        )
        if (kind === 'rate_limited' && !path.includes('*'))
          assert.equal(answer.headers.get('retry-after'), '12')
      }
    }
  }
)

test('an HTML page with status 200 is 502, not an empty list', async t => {
  const { get } = await appWith(t, response =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Log in</title>')
  )
  for (const path of [
    '/v1/hosts',
    '/v1/hosts/tags',
    '/v1/hosts/active',
    '/v1/monitors',
    '/v1/events',
    '/v1/downtimes',
    '/v1/services'
  ])
    assert.equal((await get(path)).status, 502, path)
})

test('bad paging and times are 400 and name the field, and nothing is sent', async t => {
  const { ask, get, seen } = await appWith(t, response => json(response, {}))
  const bad: [string, string][] = [
    ['/v1/hosts?page=0', '/query/page'],
    ['/v1/hosts?per_page=1001', '/query/per_page'],
    ['/v1/hosts?per_page=x', '/query/per_page'],
    ['/v1/hosts?limit=5', '/query/limit'],
    ['/v1/monitors?page=-1', '/query/page'],
    ['/v1/monitors?per_page=101', '/query/per_page'],
    ['/v1/downtimes?per_page=0', '/query/per_page'],
    ['/v1/services?page=0', '/query/page'],
    ['/v1/events?page=21&per_page=50', '/query/page'],
    ['/v1/events?from=yesterday', '/query/from'],
    ['/v1/events?from=-24h', '/query/from'],
    ['/v1/events?from=now&to=now-1h', '/query/from'],
    ['/v1/events?cursor=abc', '/query/cursor'],
    ['/v1/hosts?from=soon', '/query/from']
  ]
  for (const [path, pointer] of bad) {
    const { status, body } = await get(path)
    assert.deepEqual([status, body.errors?.[0]?.pointer], [400, pointer], path)
  }
  for (const [body, pointer] of [
    [{ limit: 1001 }, '/body/limit'],
    [{ limit: 0 }, '/body/limit'],
    [{ from: 'noon' }, '/body/from'],
    [{ from: 'now', to: 'now-1m' }, '/body/from']
  ] as const) {
    assert.equal((await ask('POST', '/v1/logs/search', body)).body.errors?.[0]?.pointer, pointer)
  }
  assert.equal(
    (await ask('POST', '/v1/logs/search/advanced', { page: { cursor: 'x' } })).body.errors?.[0]
      ?.pointer,
    '/body/page/cursor'
  )
  assert.equal(seen.length, 0)
})

test('an unknown account is 404, and no account at all says what to do', async t => {
  const { get } = await appWith(t, response => json(response, {}))
  const unknown = await get('/v1/hosts?account=nowhere')
  assert.deepEqual([unknown.status, unknown.body.type], [404, 'urn:rayne:error:account-not-found'])
  const none = await proxyApp(t, [])
  for (const path of ['/v1/hosts', '/v1/hosts?account=*']) {
    const { status, body } = await none.get(path)
    assert.deepEqual([status, /DD_API_KEY/.test(body.error)], [404, true])
  }
})

test('writes and single things refuse *', async t => {
  const { ask, get, seen } = await appWith(t, response => json(response, {}))
  const id = '00000000-0000-4000-8000-000000000000'
  const calls = [
    ask('POST', '/v1/downtimes?account=*', { scope: 'host:a', monitor_id: 1, to: null }),
    ask('DELETE', `/v1/downtimes/${id}?account=*`),
    ask('POST', '/v1/services/definitions?account=*', { name: 'a' }),
    get('/v1/monitors/1?account=*')
  ]
  for (const { status, body } of await Promise.all(calls))
    assert.deepEqual([status, body.errors[0].pointer], [400, '/query/account'])
  assert.equal(seen.length, 0)
})

test('reads are for users, writes for admins, and every route says what it answers', async t => {
  const { router } = await appWith(t, response => json(response, {}))
  const own = router.operations.filter(
    one => one.owner === 'datadog-proxy' && !one.path.startsWith('/v1/accounts')
  )
  assert.ok(own.length >= 17, `${own.length} routes`)
  const reads = new Set(['POST /v1/logs/search', 'POST /v1/logs/search/advanced'])
  for (const { method, path, auth, summary, spec } of own) {
    assert.equal(
      auth,
      method === 'GET' || reads.has(`${method} ${path}`) ? 'user' : 'admin',
      `${method} ${path}`
    )
    assert.ok(summary.length > 5 && spec?.response, `${method} ${path}`)
  }
})
