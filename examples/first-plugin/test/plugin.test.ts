import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import webhooks from '../../../plugins/webhooks/plugin.ts'
import { createTestApp, createTestDatabase, rayne, urlOf } from 'rayne/testing'
import firstPlugin from '../plugin.ts'

const file = fileURLToPath(new URL('../plugin.ts', import.meta.url))

test('a note goes through the route and the job, an alert adds one; check, tool and command read both', async t => {
  const connection = await createTestDatabase(t)
  const app = await createTestApp(t, { plugins: [firstPlugin, webhooks], connection })
  const note = { service: 'checkout-api', text: 'call Ada first' }
  assert.equal((await app.call('POST', '/v1/first-plugin/notes', note)).status, 202)
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
  const notes = [{ text: 'call Ada first' }, { text: 'alerted: 5xx high' }]
  assert.deepEqual(body, { notes })
  const check = (await app.health.report()).find(each => each.name === 'notes')
  assert.deepEqual([check?.ok, check?.detail], [true, '2 notes are kept'])
  const signal = AbortSignal.timeout(5_000)
  const context = { account: undefined, log: console as never, signal }
  assert.deepEqual(
    await app.tools.execute('notes_of_service', { service: 'checkout-api' }, context),
    body
  )

  const env = { DATABASE_URL: urlOf(connection), RAYNE_PLUGINS: `webhooks,${file}` }
  const [asked, wrong, help] = await Promise.all([
    rayne(['notes', 'checkout-api', '--json'], { env }),
    rayne(['notes', 'checkout-api', '--limit', '0'], { env }),
    rayne(['--help'], { env: { RAYNE_PLUGINS: file } })
  ])
  assert.deepEqual([asked.code, asked.stderr], [0, ''])
  assert.deepEqual(JSON.parse(asked.stdout), { service: 'checkout-api', notes })
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /^rayne notes: --limit must be >= 1; .*\n$/)
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^ {2}notes .*what people noted about a service$/m)
})
