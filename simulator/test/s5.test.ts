import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSimulator } from '../simulator.ts'
import { accountOf, call, MINUTE, NOW, search, T0 } from './client.ts'
import { mean, near, perMinute, rate, spans } from './measure.ts'
import { nth, type MonitorItem } from './wire.ts'

const simulator = await createSimulator({ scenario: 's5', t0: T0, now: () => NOW })
test.after(() => simulator.close())
const us = accountOf(simulator)

test('calls to acme-pay slow down from 0.18 to 4.8 s, and are repeated 2.6 times as often', async () => {
  const p95 = 'avg:trace.okhttp.request.duration.p95{service:payments-svc,env:prod}'
  near(await mean(us, p95, -60, 0), 0.18, 0.02, 'before')
  near(await mean(us, p95, 3, 20), 4.8, 0.05, 'after')
  const hits = 'sum:trace.okhttp.request.hits{service:payments-svc,env:prod}.as_rate()'
  near((await mean(us, hits, 5, 20)) / (await mean(us, hits, -20, 0)), 2.6, 0.2, 'retries')
  near(
    (await mean(
      us,
      'sum:trace.http.request.hits{service:payments-svc,env:prod}.as_rate()',
      5,
      20
    )) /
      (await mean(
        us,
        'sum:trace.http.request.hits{service:payments-svc,env:prod}.as_rate()',
        -20,
        0
      )),
    1,
    0.1,
    'charges'
  )
  assert.ok((await perMinute(us, '"acme-pay answered 429"', 6, 10)) > 90)
  assert.equal(await perMinute(us, '"acme-pay answered 429"', -30, 0), 0)
})

test('both versions of payments-svc are equally slow: the deploy is innocent', async () => {
  const query = 'avg:trace.http.request.duration.p95{service:payments-svc,env:prod} by {version}'
  const [old, recent] = [
    await mean(us, query, 3, 20, 'version:1.9.4'),
    await mean(us, query, 3, 20, 'version:1.9.5')
  ]
  near(old, 4.9, 0.1, 'old version')
  near(recent, 4.9, 0.1, 'new version')
  near(
    (await mean(us, query, -34, 0, 'version:1.9.5')) /
      (await mean(us, query, -34, 0, 'version:1.9.4')),
    1,
    0.05,
    'and were equally fast after the deploy'
  )
})

test('everything internal is normal', async () => {
  for (const query of [
    'avg:system.cpu.user{role:app}',
    'avg:aws.rds.cpuutilization{*}',
    'avg:postgresql.connections{*}',
    'avg:hikaricp.connections.active{service:checkout-api,env:prod}',
    'avg:trace.http.request.duration.p95{service:inventory-svc,env:prod}',
    'avg:redis.net.clients{*}'
  ]) {
    near((await mean(us, query, 3, 20)) / (await mean(us, query, -30, -2)), 1, 0.1, query)
  }
  near(await mean(us, rate('service:search-svc,env:prod'), 3, 20), 0.2, 0.1, 'errors elsewhere')
})

test('the vendor admits it twelve minutes later, and the event is the trigger', async () => {
  const { data } = (
    await search(
      us,
      'events',
      'source:(deployment OR feature_flag OR statuspage)',
      T0 - 60 * MINUTE,
      NOW
    )
  ).body
  assert.deepEqual(
    data.map(e => [
      (Date.parse(e.attributes.timestamp) - T0) / MINUTE,
      e.attributes.attributes.service
    ]),
    [
      [-35, 'payments-svc'],
      [-15, 'recommendation-svc'],
      [12, 'undefined']
    ]
  )
  const { truth } = simulator
  assert.deepEqual(
    [truth?.component, truth?.class, truth?.trigger.id, truth?.onset],
    ['acme-pay', 'dependency.external', data[2]?.id, new Date(T0).toISOString()]
  )
  assert.ok(
    truth?.distractors.some(d => d.component === 'payments-svc' && d.id === data[0]?.id),
    'blaming the deploy is the graded error'
  )
})

test('the monitor of payments alerts, the others of the incident do not', async () => {
  const monitors = (await call<MonitorItem[]>(us, 'GET', '/api/v1/monitor')).body
  assert.deepEqual(
    monitors.filter(m => m.overall_state === 'Alert').map(m => m.name),
    ['payments-svc p95 latency']
  )
  const history = (
    await search(us, 'events', 'source:alert "orders-db replication delay"', T0 - 60 * MINUTE, NOW)
  ).body.data
  assert.equal(history.length, 2, 'a monitor that recovered before')
})

test('the trace of a slow charge shows where the time goes', async () => {
  const lines = (
    await search(
      us,
      'logs/events',
      '"acme-pay did not answer within 5000ms"',
      T0 + 5 * MINUTE,
      T0 + 8 * MINUTE,
      { limit: 1 }
    )
  ).body.data
  const { trace_id } = nth(lines, 0).attributes.attributes
  const trace = await spans(us, `trace_id:${trace_id}`, 3, 10)
  assert.deepEqual(
    trace.map(span => [span.attributes.service, span.attributes.operation_name]),
    [
      ['web-gateway', 'http.request'],
      ['checkout-api', 'http.request'],
      ['payments-svc', 'http.request'],
      ['payments-svc', 'okhttp.request']
    ]
  )
  const [own, client] = [nth(trace, 2).attributes, nth(trace, 3).attributes]
  assert.equal(client.custom.peer.service, 'acme-pay')
  assert.ok(client.custom.duration / own.custom.duration > 0.5)
  assert.ok(own.tags.some(tag => tag.startsWith('version:1.9.')))
})
