import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import datadogProxy from '../../datadog-proxy/plugin.ts'
import rca from '../../rca/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import demo from '../plugin.ts'

const start = (
  t: TestContext,
  env: Record<string, string> = {},
  plugins = [demo, rca, webhooks, datadogProxy]
) => createTestApp(t, { plugins, env: { RAYNE_DEMO_MODE: 'off', ...env } })
type Wire = any

test('seeded webhooks keep their generated times, are marked, wait for nobody, and come once', async t => {
  const app = await start(t)
  const call = async (method: string, path: string): Promise<{ status: number; body: Wire }> =>
    app.call(method, path)
  const first = await call('POST', '/v1/demo/seed/webhooks?count=60')
  assert.deepEqual([first.status, first.body.requested, first.body.created], [201, 60, 60])
  const again = await call('POST', '/v1/demo/seed/webhooks?count=70')
  assert.deepEqual(
    [again.body.created, /60 were there already/.test(again.body.message)],
    [10, true]
  )
  assert.equal(await app.drain(), 0, 'nothing is analysed')
  const { events, total_count } = (await call('GET', '/v1/webhooks/events?per_page=100')).body
  assert.equal(total_count, 70)
  const ages = events.map((event: Wire) => Date.now() - Date.parse(event.received_at))
  assert.ok(
    Math.max(...ages) > 86_400_000 &&
      Math.max(...ages) < 8 * 86_400_000 &&
      new Set(ages.map((age: number) => Math.round(age / 60_000))).size > 50,
    'spread over a week'
  )
  assert.ok(
    events.every(
      (event: Wire) =>
        event.payload.tags.includes('demo:true') &&
        event.payload.org_id === 12345 &&
        event.payload.event_type === 'demo'
    )
  )
  assert.deepEqual(
    [
      ...new Set(
        events
          .filter((event: Wire) => event.alert.status === 'alert')
          .map((event: Wire) => event.status)
      )
    ],
    ['pending']
  )
  assert.equal((await call('GET', '/v1/rca')).body.total_count, 0)
  const { webhook_stats } = (await call('GET', '/v1/demo/status')).body
  assert.equal(webhook_stats.total_events, 70)
  assert.deepEqual(
    Object.values(webhook_stats.by_alert_status as Record<string, number>).reduce(
      (a, b) => a + b,
      0
    ),
    70
  )
  assert.deepEqual(Object.keys(webhook_stats.by_status).toSorted(), ['pending', 'processed'])
  for (const count of ['0', '501', 'x'])
    assert.equal((await call('POST', `/v1/demo/seed/webhooks?count=${count}`)).status, 400, count)
})

test('two seeders at once make each row once', async t => {
  const app = await start(t)
  const made = await Promise.all(
    Array.from({ length: 4 }, () => app.call('POST', '/v1/demo/seed/webhooks?count=200'))
  )
  assert.equal(
    made.reduce((sum, one) => sum + (one.body as Wire).created, 0),
    200
  )
})

test('rum says that it is not there yet, and all seeds what there is', async t => {
  const app = await start(t)
  const rum = await app.call('POST', '/v1/demo/seed/rum')
  assert.equal(rum.status, 501)
  assert.match((rum.body as Wire).detail, /the rum plugin is not there yet/)
  const all = await app.call('POST', '/v1/demo/seed/all?webhooks=5&rum=7')
  assert.deepEqual(
    [all.status, (all.body as Wire).webhooks_created, (all.body as Wire).sessions_created],
    [201, 5, 0]
  )
  assert.match((all.body as Wire).message, /rum plugin is not there yet/)
})

test('monitors are made up, the same each time', async t => {
  const app = await start(t)
  const { count, monitors } = (await app.call('GET', '/v1/demo/monitors?count=30')).body as Wire
  assert.deepEqual([count, monitors.length], [30, 30])
  assert.deepEqual(Object.keys(monitors[0]), [
    'id',
    'name',
    'type',
    'status',
    'overall_state',
    'tags',
    'created',
    'modified',
    'message'
  ])
  assert.equal(((await app.call('GET', '/v1/demo/monitors')).body as Wire).monitors.length, 20)
  assert.equal((await app.call('GET', '/v1/demo/monitors?count=101')).status, 400)
})

test('errors come as asked for', async t => {
  const app = await start(t)
  const ask = async (query: string): Promise<unknown[]> => {
    const { status, body } = await app.call('GET', `/v1/demo/error${query}`)
    return [status, (body as Wire).error_type, (body as Wire).status, (body as Wire).demo]
  }
  assert.deepEqual(await ask(''), [500, 'server', 500, true])
  assert.deepEqual(await ask('?code=418'), [418, 'server', 418, true])
  for (const [type, status] of Object.entries({
    timeout: 504,
    database: 500,
    upstream: 502,
    validation: 400,
    auth: 401,
    forbidden: 403,
    notfound: 404,
    ratelimit: 429,
    unavailable: 503
  }))
    assert.deepEqual(await ask(`?type=${type}`), [status, type, status, true])
  assert.deepEqual(await ask('?type=random'), await ask('?type=random'))
  assert.equal(
    ((await app.call('GET', '/v1/demo/error?message=hello')).body as Wire).error,
    'hello'
  )
  for (const bad of ['?code=399', '?code=600', '?type=strange'])
    assert.deepEqual(
      [
        (await app.call('GET', `/v1/demo/error${bad}`)).status,
        ((await app.call('GET', `/v1/demo/error${bad}`)).body as Wire).demo
      ],
      [400, undefined]
    )
})

test('in production the routes are not there, unless they are turned on', async t => {
  const before = process.env['NODE_ENV']
  t.after(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  process.env['NODE_ENV'] = 'production'
  const closed = await start(t)
  assert.equal((await closed.call('GET', '/v1/demo/status')).status, 404)
  assert.equal((await closed.call('POST', '/v1/demo/seed/webhooks')).status, 404)
  const open = await start(t, { RAYNE_DEMO_ROUTES: 'on' })
  assert.equal((await open.call('GET', '/v1/demo/status')).status, 200)
})

test('with access control, seeding is for admins and looking for people who are logged in', async t => {
  const app = await start(t, { RAYNE_AUTH: 'required' })
  assert.deepEqual(
    [
      (await app.call('POST', '/v1/demo/seed/webhooks')).status,
      (await app.call('GET', '/v1/demo/status')).status
    ],
    [401, 401]
  )
  assert.deepEqual(
    app.router.operations
      .filter(one => one.path.startsWith('/v1/demo'))
      .map(one => `${one.method} ${one.auth}`)
      .toSorted(),
    ['GET user', 'GET user', 'GET user', 'POST admin', 'POST admin', 'POST admin']
  )
})
