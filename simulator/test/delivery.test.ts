import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountOf, call, MINUTE, startSimulator, T0 } from './client.ts'
import { receiver } from './receiver.ts'
import { nth, type MonitorItem, type MonitorSearch, type One, type Page } from './wire.ts'

const hooks = '/api/v1/integration/webhooks/configuration/webhooks'
const post = async <T = unknown>(controlUrl: string, path: string, body: object): Promise<T> =>
  (
    await fetch(`${controlUrl}/__sim/${path}`, { method: 'POST', body: JSON.stringify(body) })
  ).json() as Promise<T>
interface Sent {
  readonly step: string
}

test('when the clock passes a transition, the target and the webhooks of the monitor are called', async context => {
  const [target, stored] = [await receiver(context), await receiver(context)]
  const simulator = await startSimulator(context, {
    now: () => T0 - MINUTE,
    webhookTarget: { url: target.url }
  })
  await call(accountOf(simulator), 'POST', hooks, {
    name: 'rayne',
    url: stored.url,
    payload: '{"to":"$ALERT_TRANSITION","title":"$ALERT_TITLE"}'
  })
  await call(accountOf(simulator), 'POST', hooks, { name: 'unused', url: stored.url })
  await post(simulator.controlUrl, 'clock', { now: T0 + 2 * MINUTE })
  await post(simulator.controlUrl, 'clock', { now: T0 + 4 * MINUTE })
  const payloads = target.received.map(one => JSON.parse(one.body))
  assert.deepEqual(
    payloads.map(p => [p.alert_transition, (Number(p.date) - T0) / MINUTE]),
    [
      ['Warn', 2],
      ['Triggered', 3]
    ]
  )
  assert.deepEqual(
    stored.received.map(one => JSON.parse(one.body).to),
    ['Warn', 'Triggered']
  )
  assert.equal(new Set(payloads.map(p => p.alert_cycle_key)).size, 1)
  assert.deepEqual(
    simulator.notifications().map(n => n.status),
    [202, 202, 202, 202]
  )
})

test('a downtime keeps notifications back and leaves states as they are', async context => {
  const target = await receiver(context)
  const simulator = await startSimulator(context, {
    now: () => T0 - MINUTE,
    webhookTarget: { url: target.url }
  })
  const account = accountOf(simulator)
  const { id } = nth(
    (await call<MonitorItem[]>(account, 'GET', '/api/v1/monitor?name=checkout-api')).body,
    0
  )
  const made = await call<One<unknown>>(account, 'POST', '/api/v2/downtime', {
    data: {
      type: 'downtime',
      attributes: {
        scope: 'env:prod AND service:checkout-api',
        monitor_identifier: { monitor_id: id },
        schedule: { start: null, end: new Date(T0 + 10 * MINUTE).toISOString() }
      }
    }
  })
  assert.equal(made.status, 200)
  assert.deepEqual(
    (
      await call<Page<unknown>>(account, 'GET', `/api/v2/monitor/${id}/downtime_matches`)
    ).body.data.map(d => d.id),
    [made.body.data.id]
  )
  await post(simulator.controlUrl, 'clock', { now: T0 + 4 * MINUTE })
  assert.equal(target.received.length, 0)
  assert.deepEqual(
    simulator.notifications().map(n => [n.transition, n.silenced_by]),
    [
      ['Warn', made.body.data.id],
      ['Triggered', made.body.data.id]
    ]
  )
  const monitor = (
    await call<MonitorItem>(account, 'GET', `/api/v1/monitor/${id}?with_downtimes=true`)
  ).body
  assert.deepEqual([monitor.overall_state, monitor.matching_downtimes.length], ['Alert', 1])
  assert.equal(
    (await call<MonitorSearch>(account, 'GET', '/api/v1/monitor/search?query=muted:true')).body
      .monitors[0]?.id,
    id
  )
})

test('the bad day: duplicates, out of order, re-triggered and recovered, all with one cycle key', async context => {
  const target = await receiver(context)
  const simulator = await startSimulator(context, { webhookTarget: { url: target.url } })
  const sent = await post<Sent[]>(simulator.controlUrl, 'webhooks/sequence', {
    steps: ['Triggered', 'Re-Triggered', 'Renotify', 'Recovered'],
    copies: 3,
    shuffle: true
  })
  assert.equal(sent.length, 12)
  const payloads = target.received.map(one => JSON.parse(one.body))
  assert.equal(new Set(payloads.map(p => p.alert_cycle_key)).size, 1)
  assert.deepEqual(
    [...Map.groupBy(payloads, p => p.alert_transition)]
      .map(([name, all]) => [name, all.length])
      .toSorted(),
    [
      ['Re-Triggered', 3],
      ['Recovered', 3],
      ['Renotify', 3],
      ['Triggered', 3]
    ]
  )
  assert.notDeepEqual(
    payloads.map(p => Number(p.date)),
    payloads.map(p => Number(p.date)).toSorted((a, b) => a - b),
    'not in the order of time'
  )
  const triggered = payloads.find(p => p.alert_transition === 'Triggered')
  assert.equal(
    target.received
      .filter(one => JSON.parse(one.body).alert_transition === 'Triggered')
      .every(one => JSON.stringify(JSON.parse(one.body)) === JSON.stringify(triggered)),
    true,
    'duplicates are equal to the byte'
  )
  assert.deepEqual(
    payloads.filter(p => p.alert_transition === 'Recovered').map(p => p.alert_type),
    ['success', 'success', 'success']
  )
  const again = await post<Sent[]>(simulator.controlUrl, 'webhooks/sequence', {})
  assert.deepEqual(
    again.map(one => one.step),
    ['Triggered', 'Re-Triggered', 'Recovered']
  )
})
