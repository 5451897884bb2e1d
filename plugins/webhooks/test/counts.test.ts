import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { createSimulator } from '../../../simulator/simulator.ts'
import proxy from '../../datadog-proxy/plugin.ts'
import demo from '../../demo/plugin.ts'
import rca from '../../rca/plugin.ts'
import webhooks from '../plugin.ts'
import { post } from './senders.ts'

test('figures tell what was received, what it said and what became of it', async t => {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const app = await createTestApp(t, {
    plugins: [demo, proxy, rca, webhooks],
    env: {
      RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts),
      RAYNE_DEMO_FIRE: 'false'
    }
  })
  const stats = async () => (await app.call('GET', '/v1/webhooks/stats')).body
  assert.deepEqual(await stats(), {
    total_events: 0,
    by_status: { pending: 0, processed: 0 },
    by_alert_status: {},
    last_24h: 0
  })
  const alert = { monitor_id: 7, alert_status: 'Alert', alert_scope: 'env:prod' }
  await post(app.call, alert)
  await post(app.call, { ...alert, alert_status: 'OK', n: 2 })
  await post(app.call, { ...alert, alert_status: 'No Data', n: 3 })
  const before = await stats()
  assert.deepEqual(before['by_alert_status'], { alert: 1, ok: 1, no_data: 1 })
  assert.deepEqual(before['by_status'], { pending: 1, processed: 2 })
  await app.drain()
  const after = await stats()
  assert.deepEqual([after['total_events'], after['last_24h']], [3, 3])
  assert.deepEqual(after['by_status'], { pending: 0, processed: 3 })
})

test('the newest webhooks of a monitor, also where nobody analyses', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  for (const n of [1, 2, 3]) await post(app.call, { monitor_id: n === 2 ? 8 : 7, n })
  const { body }: { body: unknown } = await app.call('GET', '/v1/webhooks/monitor/7')
  const found = body as { id: number; status: string; payload: { monitor_id: number } }[]
  assert.deepEqual(
    found.map(({ id, status, payload }) => [id, status, payload.monitor_id]),
    [
      [3, 'processed', 7],
      [1, 'processed', 7]
    ]
  )
  const one: { body: unknown } = await app.call('GET', '/v1/webhooks/monitor/7?limit=1')
  assert.equal((one.body as object[]).length, 1)
  assert.deepEqual((await app.call('GET', '/v1/webhooks/monitor/9')).body, [])
  for (const path of ['monitor/x', 'monitor/7?limit=0', 'monitor/7?limit=101'])
    assert.equal((await app.call('GET', `/v1/webhooks/${path}`)).status, 400, path)
  const { by_status: byStatus } = (await app.call('GET', '/v1/webhooks/stats')).body
  assert.deepEqual(byStatus, { pending: 0, processed: 3 })
})
