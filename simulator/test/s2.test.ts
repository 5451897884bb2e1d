import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSimulator } from '../simulator.ts'
import { accountOf, call, MINUTE, NOW, search, T0 } from './client.ts'
import { mean, near, perMinute, rate, spans } from './measure.ts'
import { nth, type MonitorItem } from './wire.ts'

const simulator = await createSimulator({ scenario: 's2', t0: T0, now: () => NOW })
test.after(() => simulator.close())
const us = accountOf(simulator)

test('the pool of inventory-svc is full, requests wait for it, and the database idles', async () => {
  const active = 'avg:hikaricp.connections.active{service:inventory-svc,env:prod}'
  near(await mean(us, active, -60, -5), 12, 1, 'active before')
  near(await mean(us, active, 3, 20), 50, 0.01, 'active after')
  near(
    await mean(us, 'avg:hikaricp.connections.max{service:inventory-svc,env:prod}', 3, 20),
    50,
    0.01,
    'the limit'
  )
  near(
    await mean(us, 'avg:hikaricp.connections.pending{service:inventory-svc,env:prod}', 4, 20),
    140,
    1,
    'waiting'
  )
  near(
    await mean(us, 'avg:hikaricp.connections.pending{service:inventory-svc,env:prod}', -60, -5),
    0,
    0.01,
    'waiting before'
  )
  near(
    await mean(us, 'avg:trace.http.request.duration.p95{service:inventory-svc,env:prod}', -60, -5),
    0.12,
    0.01,
    'p95 before'
  )
  near(
    await mean(us, 'avg:trace.http.request.duration.p95{service:inventory-svc,env:prod}', 3, 20),
    5.2,
    0.05,
    'p95 after'
  )
  near(
    await mean(us, 'avg:postgresql.transactions.idle_in_transaction{*}', 0, 20),
    38,
    1,
    'idle transactions'
  )
  assert.ok(
    (await mean(us, 'avg:aws.rds.cpuutilization{*}', 3, 20)) <
      (await mean(us, 'avg:aws.rds.cpuutilization{*}', -60, -10)) / 2
  )
  near(
    await mean(us, 'avg:hikaricp.connections.active{service:checkout-api,env:prod}', 3, 20),
    14,
    1,
    'the pool of checkout-api'
  )
})

test('the gateway answers 504 and its monitor alerts', async () => {
  near(await mean(us, rate('service:web-gateway,env:prod'), 3, 20), 9, 0.6, 'gateway errors')
  const monitors = (await call<MonitorItem[]>(us, 'GET', '/api/v1/monitor')).body
  assert.deepEqual(
    monitors
      .filter(m => m.overall_state === 'Alert')
      .map(m => m.name)
      .toSorted(),
    ['checkout-api 5xx rate', 'web-gateway 5xx rate']
  )
  assert.ok((await perMinute(us, 'service:web-gateway 504 status:error', 5, 8)) > 100)
})

test('the culprit says so, ten times more quietly than checkout-api', async () => {
  const culprit = await perMinute(
    us,
    '"Connection is not available, request timed out after 30000ms"',
    5,
    15
  )
  const symptom = await perMinute(us, 'service:checkout-api status:error env:prod', 5, 9)
  near(culprit, 24, 6, 'lines of inventory-svc')
  near(symptom / culprit, 10, 3, 'how much louder checkout-api is')
  assert.equal(await perMinute(us, '"Connection is not available"', -60, -1), 0)
})

test('the trigger is a flag six minutes before, and the last deploy is another', async () => {
  const { data } = (
    await search(us, 'events', 'source:(deployment OR feature_flag)', T0 - 60 * MINUTE, NOW)
  ).body
  assert.deepEqual(
    data.map(e => [
      (Date.parse(e.attributes.timestamp) - T0) / MINUTE,
      e.attributes.attributes.service,
      e.attributes.attributes.changed_resource.type
    ]),
    [
      [-14, 'recommendation-svc', 'configuration'],
      [-6, 'reporting-worker', 'feature_flag']
    ]
  )
  const { truth } = simulator
  assert.deepEqual(
    [truth?.component, truth?.class, truth?.trigger.id, truth?.trigger.at],
    ['inventory-svc', 'resource.connection_pool', data[1]?.id, data[1]?.attributes.timestamp]
  )
  assert.ok((truth?.distractors.length ?? 0) >= 3)
})

test('one failed request can be followed from the gateway to the culprit, in logs and spans', async () => {
  const found = (
    await search(
      us,
      'logs/events',
      '"Connection is not available"',
      T0 + 5 * MINUTE,
      T0 + 10 * MINUTE,
      { limit: 1 }
    )
  ).body.data
  const failed = nth(found, 0)
  const { trace_id } = failed.attributes.attributes
  assert.match(trace_id, /^\d{19}$/)
  const trace = await spans(us, `trace_id:${trace_id}`, 3, 12)
  assert.deepEqual(
    trace.map(span => [span.attributes.service, span.attributes.status]),
    [
      ['web-gateway', 'error'],
      ['checkout-api', 'error'],
      ['inventory-svc', 'error']
    ]
  )
  const outer = nth(trace, 0).attributes
  const middle = nth(trace, 1).attributes
  const inner = nth(trace, 2).attributes
  assert.deepEqual(
    [outer.parent_id, middle.parent_id, inner.parent_id],
    ['0', outer.span_id, middle.span_id]
  )
  assert.match(inner.custom.error.message, /Connection is not available/)
  assert.ok(
    outer.custom.duration >= middle.custom.duration &&
      middle.custom.duration >= inner.custom.duration
  )
  assert.equal(failed.attributes.attributes.span_id, inner.span_id)
  const lines = (
    await search(us, 'logs/events', `@trace_id:${trace_id}`, T0 + 3 * MINUTE, T0 + 12 * MINUTE)
  ).body.data
  assert.deepEqual(
    lines.map(row => row.attributes.tags.find(tag => tag.startsWith('service:'))).toSorted(),
    ['service:checkout-api', 'service:inventory-svc', 'service:web-gateway']
  )
})

test('the distractors are there, over or harmless', async () => {
  near(await mean(us, 'max:system.io.await{host:db-01}', -26, -23), 0.06, 0.02, 'the disk blip')
  near(
    await mean(us, 'max:system.io.await{host:db-01}', -10, 20),
    0.0021,
    0.001,
    'over before the onset'
  )
  near(
    await mean(us, rate('service:recommendation-svc,env:prod'), -13, 20),
    0.4,
    0.1,
    'errors of the last deploy'
  )
  near(await mean(us, rate('service:payments-svc,env:prod'), 0, 20), 0.3, 0.1, 'payments')
})

test('nothing of it reaches the other account', async () => {
  const eu = accountOf(simulator, 'eu')
  near(
    await mean(eu, 'avg:hikaricp.connections.active{service:inventory-svc,env:prod}', 3, 20),
    12,
    1,
    'its pool'
  )
  assert.equal(
    (await search(eu, 'events', 'source:(deployment OR feature_flag)', T0 - 60 * MINUTE, NOW)).body
      .data.length,
    0
  )
})
