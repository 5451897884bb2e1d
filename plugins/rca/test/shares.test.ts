import assert from 'node:assert/strict'
import test from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'
import webhooks from '../../webhooks/plugin.ts'
import rca from '../plugin.ts'
import { fakeDatadog } from './fake-datadog.ts'

interface Receipt {
  readonly event_id: number
}
interface Event {
  readonly status: string
  readonly error?: string
  readonly rca: { readonly id: string; readonly status: string }
}
interface Analyses {
  readonly total_count: number
}

test('a monitor that fires without end starts its share of analyses; other alerts say why not', async t => {
  const fake = fakeDatadog()
  const app = await createTestApp(t, {
    plugins: [rca, webhooks],
    fakes: [[DatadogToken, fake.service]],
    env: {
      RAYNE_RCA_HOURLY_PER_MONITOR: '3',
      RAYNE_WEBHOOKS_SETTLE_SECONDS: '0'
    }
  })
  const post = async (facts: object): Promise<number> => {
    const body = { monitor_name: 'High CPU', alert_status: 'Alert', ...facts }
    return (await app.call<Receipt>('POST', '/v1/webhooks/receive', body)).body.event_id
  }
  const event = async (id: number): Promise<Event> =>
    (await app.call<Event>('GET', `/v1/webhooks/events/${id}`)).body
  const count = async (status: string): Promise<number> =>
    (await app.call<Analyses>('GET', `/v1/rca?status=${status}`)).body.total_count

  const ids: number[] = []
  for (let n = 0; n < 8; n++) ids.push(await post({ monitor_id: 7, alert_cycle_key: `c${n}` }))
  const other = await post({ monitor_id: 8, alert_cycle_key: 'c' })
  const named = await post({ alert_cycle_key: 'd' })
  await app.drain()
  assert.deepEqual([await count('done'), await count('skipped')], [5, 5])
  assert.equal(fake.notebooks.length, 5)
  const events = await Promise.all(ids.map(event))
  const skipped = events.filter(({ status }) => status === 'skipped')
  assert.equal(skipped.length, 5)
  for (const { error, rca: link } of skipped) {
    assert.match(error ?? '', /3 analyses within an hour \(RAYNE_RCA_HOURLY_PER_MONITOR\)/)
    assert.equal(link.status, 'skipped')
  }
  assert.deepEqual(
    [(await event(other)).status, (await event(named)).status],
    ['processed', 'processed']
  )

  // An hour later the monitor has a share again.
  await app.db('rca_analyses').update({ created_at: new Date(Date.now() - 3_700_000) })
  const later = await post({ monitor_id: 7, alert_cycle_key: 'later' })
  await app.drain()
  assert.equal((await event(later)).status, 'processed')
})
