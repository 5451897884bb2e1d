import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { eventually } from '../../../core/test/eventually.ts'
import { createTestApp } from '../../../core/testing.ts'
import { createSimulator } from '../../../simulator/simulator.ts'
import proxy from '../../datadog-proxy/plugin.ts'
import demo from '../../demo/plugin.ts'
import rca from '../../rca/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import notify from '../plugin.ts'
import { startReceiver, type Says } from './receiver.ts'

interface Delivery {
  readonly id: number
  readonly channel: string
  readonly state: string
  readonly attempts: number
  readonly reason: string | null
}
const alert = (more: object = {}): object => ({
  monitor_id: 7,
  alert_title: 'checkout 5xx',
  alert_status: 'Alert',
  alert_transition: 'Triggered',
  alert_scope: 'env:prod,service:checkout-api',
  tags: 'service:checkout-api,team:checkout',
  ...more
})
const recovery = alert({ alert_status: 'OK', alert_transition: 'Recovered' })

async function start(t: TestContext, says: Says[] = [], env: Record<string, string> = {}) {
  const receiver = await startReceiver(t, says)
  const app = await createTestApp(t, {
    plugins: [proxy, webhooks, notify],
    env: { NOTIFY_SERVER_URLS: receiver.url, RAYNE_WEBHOOKS_SETTLE_SECONDS: '0', ...env }
  })
  const post = async (body: object): Promise<void> => {
    assert.ok((await app.call('POST', '/v1/webhooks/receive', body)).status < 300)
    await app.drain()
  }
  const deliveries = async (query = ''): Promise<Delivery[]> =>
    (await app.call('GET', `/v1/notify/deliveries${query}`)).body['deliveries'] as Delivery[]
  return { ...receiver, app, post, deliveries }
}

test('a problem is told once, with its cause, and once that it is over', async t => {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const { url, got } = await startReceiver(t)
  const app = await createTestApp(t, {
    plugins: [demo, proxy, rca, webhooks, notify],
    env: {
      RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts),
      RAYNE_DEMO_FIRE: 'false',
      NOTIFY_SERVER_URLS: url,
      RAYNE_PUBLIC_URL: 'https://rayne.example'
    }
  })
  const body = simulator.renderWebhook()
  for (let n = 0; n < 3; n++) await app.call('POST', '/v1/webhooks/receive', body)
  await app.drain()
  const last = got.at(-1)?.body
  assert.ok(got.length <= 2, `${got.length} messages`)
  assert.match(String(last?.['title']), /^📓 /)
  assert.match(String(last?.['message']), /most likely caused by/)
  assert.match(String(last?.['message']), /\nhttps?:\/\/\S+notebook/)
  const before = got.length
  const over = JSON.parse(String(body)) as Record<string, string>
  await app.call('POST', '/v1/webhooks/receive', {
    ...over,
    id: 'over',
    alert_transition: 'Recovered'
  })
  await app.drain()
  assert.equal(got.length, before + 1)
  assert.match(String(got.at(-1)?.body['title']), /^✅ /)
  assert.match(String(got.at(-1)?.body['message']), /Resolved at .*most likely caused by/s)
})

test('the same again is counted and not told, a recovery of nothing is no news', async t => {
  const { got, post, app } = await start(t, [], { RAYNE_WEBHOOKS_REOPEN_MINUTES: '0' })
  await post(recovery)
  assert.equal(got.length, 0)
  await post(alert())
  for (let n = 0; n < 5; n++) await post(alert({ alert_transition: 'Renotify', n }))
  assert.equal(got.length, 1)
  await post(recovery)
  await post({ ...recovery, n: 1 })
  assert.equal(got.length, 2)
  await post(alert({ n: 'again' }))
  assert.equal(got.length, 3)
  const { rows } = await app.db.raw(
    'select count(*)::int as alerts from webhooks_occurrences where firing group by member_id order by 1 desc'
  )
  assert.deepEqual(rows, [{ alerts: 6 }, { alerts: 1 }])
  await post(alert({ alert_scope: 'env:prod,service:payments' }))
  assert.equal(got.length, 4)
})

test('a channel that asks to wait is asked again then, and one that breaks is tried again', async t => {
  const { got, post, app, deliveries } = await start(t, [
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 500 }
  ])
  await post(alert())
  const [waiting] = await deliveries()
  assert.deepEqual([waiting?.state, waiting?.attempts], ['waiting', 1])
  assert.match(waiting?.reason ?? '', /answered 429/)
  await eventually('the third try', async () => {
    await app.drain()
    return got.length === 3
  })
  const [sent] = await deliveries()
  assert.deepEqual([sent?.state, sent?.attempts, sent?.reason], ['sent', 3, null])
})

test('what a channel refuses has failed, is listed, and goes again when asked', async t => {
  const { got, post, app, deliveries } = await start(t, [{ status: 404, body: 'no such hook' }])
  await post(alert())
  const [failed] = await deliveries('?state=failed')
  assert.match(failed?.reason ?? '', /answered 404: no such hook/)
  assert.equal(got.length, 1)
  assert.equal((await app.call('POST', `/v1/notify/deliveries/${failed?.id}/redrive`)).status, 200)
  await app.drain()
  assert.equal(got.length, 2)
  assert.equal((await deliveries())[0]?.state, 'sent')
  const again = await app.call('POST', `/v1/notify/deliveries/${failed?.id}/redrive`)
  assert.equal(again.status, 409)
  assert.equal((await app.call('POST', '/v1/notify/deliveries/999/redrive')).status, 404)
})

test('routes choose, say whom, and hold back what is too much or comes at night', async t => {
  const second = await startReceiver(t)
  const { got, post, app, deliveries } = await start(t, [], {
    RAYNE_NOTIFY_CHANNELS: JSON.stringify([
      { name: 'team', kind: 'ntfy', url: second.url, topic: 'checkout' }
    ]),
    RAYNE_NOTIFY_ROUTES: JSON.stringify([
      { name: 'all', channels: ['desktop'], severities: ['critical'], per_hour: 1 },
      {
        name: 'checkout',
        channels: ['team'],
        teams: ['checkout'],
        quiet: { from: '00:00', to: '23:59', timezone: 'UTC' }
      }
    ])
  })
  const asked = await app.call('GET', '/v1/notify/route?team=checkout&severity=warning')
  const [one, ...others] = asked.body['channels'] as { channel: string; waits_seconds: number }[]
  assert.deepEqual([one?.channel, others], ['team', []])
  assert.ok(Number(one?.waits_seconds) > 0 || new Date().toISOString().slice(11, 16) === '23:59')
  assert.deepEqual(
    ((await app.call('GET', '/v1/notify/route?team=x')).body['channels'] as object[]).length,
    1
  )
  await post(alert())
  await post(alert({ alert_scope: 'another' }))
  assert.equal(got.length, 1)
  assert.equal(second.got.length, 2)
  const [held] = await deliveries('?state=waiting')
  assert.deepEqual([held?.channel, held?.reason], ['desktop', 'more than 1 an hour'])
})

test('a test message goes now and says what came of it', async t => {
  const { got, app } = await start(t, [{ status: 200 }, { status: 500 }])
  const ok = await app.call('POST', '/v1/notify/channels/desktop/test')
  assert.deepEqual(ok.body, { channel: 'desktop', ok: true, error: null })
  const old = await app.call('POST', '/v1/webhooks/test-notify')
  assert.match(String((old.body['results'] as Record<string, string>)['desktop']), /^error: .*500/)
  assert.equal((await app.call('GET', '/v1/webhooks/test-notify')).status, 405)
  assert.equal((await app.call('POST', '/v1/notify/channels/nobody/test')).status, 404)
  assert.deepEqual(got[0]?.body, {
    title: '🔔 [alert_monitor] Test',
    message: 'Direct test notification',
    urgency: 'low'
  })
})

test('settings that cannot be meant are refused by name', async t => {
  const ntfy = { name: 'a', kind: 'ntfy', url: 'http://127.0.0.1', topic: 't' }
  for (const [channels, routes, why] of [
    ['{', '[]', /RAYNE_NOTIFY_CHANNELS is not JSON/],
    ['{}', '[]', /must be a JSON list/],
    ['[{"kind":"fax"}]', '[]', /entry 1: kind must be one of desktop, webhook/],
    ['[{"name":"a","kind":"ntfy","topic":"t","url":"x"}]', '[]', /entry 1: .*url/],
    ['[{"name":"a","kind":"slack"}]', '[]', /slack needs webhook_url/],
    [JSON.stringify([ntfy, ntfy]), '[]', /two notify channels are named 'a'/],
    ['[]', '[{"name":"r","channels":["b"]}]', /there is no channel 'b'; there are desktop/],
    [
      '[]',
      '[{"name":"r","channels":["desktop"],"quiet":{"from":"22:00","to":"07:00","timezone":"Mars"}}]',
      /'Mars' is no time zone/
    ]
  ] as const)
    await assert.rejects(
      start(t, [], { RAYNE_NOTIFY_CHANNELS: channels, RAYNE_NOTIFY_ROUTES: routes }),
      why
    )
})

test('what nobody acknowledges is told to others, who hear of its end too', async t => {
  const boss = await startReceiver(t)
  const { post, app } = await start(t, [], {
    RAYNE_NOTIFY_CHANNELS: JSON.stringify([
      { name: 'boss', kind: 'ntfy', url: boss.url, topic: 'boss' }
    ]),
    RAYNE_NOTIFY_ROUTES: JSON.stringify([
      {
        name: 'all',
        channels: ['desktop'],
        escalate: { after_minutes: 15, channels: ['boss'] }
      }
    ])
  })
  const later = async (): Promise<void> => {
    await app
      .db('jobs.job')
      .where({ name: 'notify.escalate', state: 'created' })
      .update({ start_after: new Date(0) })
    await app.drain()
  }
  await post(alert())
  assert.equal(boss.got.length, 0)
  await later()
  assert.equal(boss.got.length, 1)
  await post(recovery)
  assert.equal(boss.got.length, 2)
  await post(alert({ monitor_id: 8, alert_scope: 'env:dev' }))
  await app.call('POST', '/v1/incidents/2/acknowledge')
  await later()
  await post(alert({ monitor_id: 9, alert_scope: 'env:test' }))
  await post({ ...recovery, monitor_id: 9, alert_scope: 'env:test' })
  await later()
  assert.equal(boss.got.length, 2)
})
