import assert from 'node:assert/strict'
import test from 'node:test'
import webhooks from '../../../plugins/webhooks/plugin.ts'
import { createTestApp } from 'rayne/testing'
import firstPlugin from '../plugin.ts'

test('a note goes through the route, the job and the table; an alert adds one; the tool reads both', async t => {
  const app = await createTestApp(t, { plugins: [firstPlugin, webhooks] })
  assert.equal(
    (
      await app.call('POST', '/v1/first-plugin/notes', {
        service: 'checkout-api',
        text: 'call Ada first'
      })
    ).status,
    202
  )
  const refused = await app.call('POST', '/v1/first-plugin/notes', { service: 'checkout-api' })
  assert.equal(refused.status, 400)
  assert.match((refused.body as { error: string }).error, /\/body\/text is required/)
  await app.drain()

  const alert = {
    monitor_id: 1,
    alert_title: '5xx high',
    alert_status: 'Alert',
    service: 'checkout-api'
  }
  assert.equal((await app.call('POST', '/v1/webhooks/receive', alert)).status, 202)
  await app.drain()

  const { body } = await app.call('GET', '/v1/first-plugin/notes/checkout-api')
  assert.deepEqual(body, { notes: [{ text: 'call Ada first' }, { text: 'alerted: 5xx high' }] })
  const signal = AbortSignal.timeout(5_000)
  assert.deepEqual(
    await app.tools.execute(
      'notes_of_service',
      { service: 'checkout-api' },
      { account: undefined, log: console as never, signal }
    ),
    body
  )
})
