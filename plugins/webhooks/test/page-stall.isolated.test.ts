import assert from 'node:assert/strict'
import test from 'node:test'
import { threadMs } from '../../../core/test/thread-time.ts'
import { createTestApp } from '../../../core/testing.ts'
import webhooks from '../plugin.ts'
import { post } from './senders.ts'

interface Listed {
  readonly events: { readonly payload: Record<string, unknown> }[]
}

test('a page of the largest bodies is read without a stall', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  const filler = 'a, '.repeat(340_000)
  for (let n = 0; n < 8; n++) await post(app.call, { monitor_id: n + 1, alert_message: filler, n })
  let longest = 0
  let last = threadMs()
  const ticking = setInterval(() => {
    longest = Math.max(longest, threadMs() - last)
    last = threadMs()
  }, 1)
  const { events } = (await app.call('GET', '/v1/webhooks/events')).body as Listed
  clearInterval(ticking)
  assert.deepEqual(
    events.map(event => event.payload['monitor_id']),
    [8, 7, 6, 5, 4, 3, 2, 1]
  )
  assert.ok(longest < 1_000, `the loop stood still for ${longest.toFixed(0)} ms`)
})
