import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { createTestApp } from '../../../core/testing.ts'
import { createSimulator } from '../../../simulator/simulator.ts'
import datadogProxy from '../../datadog-proxy/plugin.ts'
import demo from '../../demo/plugin.ts'
import notify from '../../notify/plugin.ts'
import { startReceiver, type Says } from '../../notify/test/receiver.ts'
import webhooks from '../plugin.ts'
import { alert, incidentApp, recovery } from './incidents.ts'

interface Config {
  readonly id: number
  readonly name: string
  readonly active: boolean
  readonly downtime_duration_minutes: number
}
const secret = `whsec_${Buffer.from('a secret that is long enough').toString('base64')}`

async function forwarding(t: TestContext, says: Says[] = []) {
  const receiver = await startReceiver(t, says)
  const app = await createTestApp(t, {
    plugins: [webhooks, notify],
    env: { RAYNE_NOTIFY_FORWARD_SECRET: secret }
  })
  const configure = (body: object) =>
    app.call<Config>('POST', '/v1/webhooks/config', { url: receiver.url, ...body })
  const post = async (body: object | string, headers: Record<string, string> = {}) => {
    const sent = await app.call<{ event_id: number }>('POST', '/v1/webhooks/receive', body, headers)
    await app.drain()
    return sent.body.event_id
  }
  return { ...receiver, app, configure, post }
}

test('configs are made, read, changed and deleted by the first version’s names', async t => {
  const { app } = await incidentApp(t)
  const path = '/v1/webhooks/config'
  const made = await app.call<Config>('POST', path, { name: 'a', url: 'https://a.example/x' })
  assert.equal(made.status, 201)
  const { id, active, downtime_duration_minutes: minutes } = made.body
  assert.deepEqual([active, minutes], [true, 120])
  assert.equal((await app.call('POST', path, { name: 'a', url: 'https://b.example' })).status, 409)
  for (const bad of [{}, { name: 'b' }, { name: 'b', url: 'ftp://x' }, { name: 'b', url: 1 }])
    assert.equal((await app.call('POST', path, bad)).status, 400)
  const changed = await app.call<Config>('PUT', `${path}/${id}`, { active: false, name: 'c' })
  assert.deepEqual([changed.body.name, changed.body.active], ['c', false])
  assert.deepEqual((await app.call<Config[]>('GET', path)).body, [])
  assert.equal((await app.call<Config[]>('GET', `${path}?all=true`)).body.length, 1)
  assert.equal((await app.call<Config>('GET', `${path}/${id}`)).body.name, 'c')
  assert.equal((await app.call('DELETE', `${path}/${id}`)).status, 200)
  assert.equal((await app.call('GET', `${path}/${id}`)).status, 404)
  assert.equal((await app.call('PUT', `${path}/${id}`, { active: true })).status, 404)
})

test('a dry run says which events of the week would match, and does nothing', async t => {
  const { app, post } = await incidentApp(t)
  const [first, , third] = await post(
    alert({ tags: 'team:a' }),
    alert({ monitor_id: 8, tags: 'team:b' }),
    recovery({ tags: 'team:a' })
  )
  const tried = async (body: object) =>
    (
      await app.call<{ looked_at: number; event_ids: number[] }>(
        'POST',
        '/v1/webhooks/config/dry-run',
        body
      )
    ).body
  assert.equal((await tried({})).event_ids.length, 3)
  assert.deepEqual((await tried({ tags: ['team:a', 'x'] })).event_ids, [third, first])
  assert.deepEqual((await tried({ tags: ['team:a'], statuses: ['alert'] })).event_ids, [first])
  assert.deepEqual((await tried({ accounts: ['none'] })).event_ids, [])
})

test('what matches is forwarded as it came or signed, once, and never round in circles', async t => {
  const { got, url, app, configure, post } = await forwarding(t)
  const to = { forward_urls: [`${url}/hook`] }
  await configure({ name: 'raw', ...to, monitor_ids: ['7'] })
  await configure({ name: 'signed', ...to, forward_format: 'signed', monitor_ids: ['8'] })
  await configure({ name: 'off', ...to, active: false })
  const raw = `{"monitor_id":7,  "alert_status":"Alert", "x":"ü"}`
  const id = await post(raw)
  await post(raw)
  assert.deepEqual(
    got.map(({ text, headers }) => [text, headers['x-rayne-forwarded']]),
    [[raw, String(id)]]
  )
  await post({ monitor_id: 8, alert_status: 'Alert' })
  const [, signed] = got
  assert.ok(signed)
  const verified = new Webhook(secret).verify(signed.text, signed.headers as Record<string, string>)
  assert.deepEqual(verified, { monitor_id: 8, alert_status: 'Alert' })
  await post({ monitor_id: 7, alert_status: 'Alert', n: 2 }, { 'x-rayne-forwarded': '1' })
  await post({ monitor_id: 9, alert_status: 'Alert' })
  assert.equal(got.length, 2)
  const { body } = await app.call<{ processors: string[]; count: number }>(
    'GET',
    '/v1/webhooks/processors'
  )
  assert.deepEqual(body, { processors: ['webhooks'], count: 1 })
})

test('what an address refuses, or no address may be, is a failed job that can be run again', async t => {
  const { got, url, app, configure, post } = await forwarding(t, [{ status: 404 }])
  await configure({ name: 'a', forward_urls: [url, 'http://169.254.169.254/latest/meta-data'] })
  await post({ monitor_id: 7, alert_status: 'Alert' })
  assert.equal(got.length, 1)
  const { body } = await app.call<{ jobs: { error: string | null }[] }>(
    'GET',
    '/v1/jobs?state=failed'
  )
  assert.match(JSON.stringify(body.jobs), /answered 404/)
  assert.match(JSON.stringify(body.jobs), /is an address that nothing is sent to/)
})

test('a monitor is muted in the scope of its alert until it recovers, once a cycle, and never everywhere', async t => {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const app = await createTestApp(t, {
    plugins: [demo, datadogProxy, webhooks],
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts), RAYNE_DEMO_FIRE: 'false' }
  })
  const made = await app.call<Config>('POST', '/v1/webhooks/config', {
    name: 'mute',
    url: 'https://a.example',
    auto_downtime: true,
    downtime_duration_minutes: 30
  })
  assert.equal(made.status, 201)
  const { monitor_id: monitor } = JSON.parse(simulator.renderWebhook()) as { monitor_id: unknown }
  const post = async (body: object): Promise<void> => {
    await app.call('POST', '/v1/webhooks/receive', body)
    await app.drain()
  }
  const asked = (method: string): number =>
    simulator
      .journal()
      .filter(each => each.method === method && each.path.startsWith('/api/v2/downtime')).length
  const facts = { monitor_id: monitor, alert_scope: 'service:checkout-api,env:prod' }
  await post(alert({ ...facts, alert_scope: '*' }))
  await post(alert({ ...facts, alert_status: 'Warn', alert_transition: 'Warn' }))
  assert.equal(asked('POST'), 0)
  await post(alert(facts))
  await post(alert({ ...facts, alert_transition: 'Renotify' }))
  assert.deepEqual([asked('POST'), asked('DELETE')], [1, 0])
  await post(recovery(facts))
  assert.deepEqual([asked('POST'), asked('DELETE')], [1, 1])
  await post(alert(facts))
  assert.equal(asked('POST'), 2)
})

test('the first version’s figures are there', async t => {
  const { app, post } = await incidentApp(t)
  await post(alert(), recovery())
  const stats = (await app.call<Record<string, number>>('GET', '/v1/webhooks/dispatcher/stats'))
    .body
  assert.deepEqual(
    [stats['queue_size'], stats['processed_count'], stats['error_count'], stats['dropped_count']],
    [0, 2, 0, 0]
  )
  const agents = (await app.call<Record<string, unknown>>('GET', '/v1/agents/stats')).body
  assert.deepEqual(agents, {
    active_analyses: 0,
    max_concurrent: 0,
    total_processed: 0,
    total_errors: 0,
    registered_agents: 0,
    sub_agents: []
  })
})
