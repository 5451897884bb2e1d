import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSimulator } from '../simulator.ts'
import { accountOf, call, metricPath, MINUTE, NOW, search, T0 } from './client.ts'
import { mean, near, rate } from './measure.ts'
import {
  nth,
  type Hosts,
  type MonitorItem,
  type MonitorSearch,
  type Page,
  type SeriesAnswer
} from './wire.ts'

const simulator = await createSimulator({ scenario: 's1', t0: T0, now: () => NOW })
test.after(() => simulator.close())

const us = accountOf(simulator)

test('5xx of checkout-api rise from 0.4 to 18 % within two minutes, in version 2.41.0 only', async () => {
  const byVersion = rate('service:checkout-api,env:prod', ' by {version}')
  near(await mean(us, byVersion, -60, 0, 'version:2.40.3'), 0.4, 0.1, 'old version before')
  near(await mean(us, byVersion, -4, 0, 'version:2.41.0'), 0.4, 0.2, 'canary before the onset')
  near(await mean(us, byVersion, 2, 20, 'version:2.41.0'), 18, 0.6, 'canary after')
  near(await mean(us, byVersion, 2, 20, 'version:2.40.3'), 0.4, 0.1, 'old version after')
  assert.ok(
    Number.isNaN(await mean(us, byVersion, -60, -5, 'version:2.41.0')),
    'the canary did not run before its deploy'
  )
})

test('the canary takes half of the traffic', async () => {
  const hits = 'sum:trace.http.request.hits{service:checkout-api,env:prod} by {version}.as_rate()'
  const [canary, old] = [
    await mean(us, hits, 2, 20, 'version:2.41.0'),
    await mean(us, hits, 2, 20, 'version:2.40.3')
  ]
  near(canary / (canary + old), 0.5, 0.03, 'share')
})

test('the gateway shows 0.6 of the failures', async () => {
  const errors = (service: string) =>
    `sum:trace.http.request.errors{service:${service},env:prod}.as_rate()`
  const rise = async (service: string): Promise<number> =>
    (await mean(us, errors(service), 3, 20)) - (await mean(us, errors(service), -30, 0))
  near((await rise('web-gateway')) / (await rise('checkout-api')), 0.6, 0.08, 'ratio')
})

test('CPU and latency of checkout-api stay flat', async () => {
  for (const query of [
    'avg:system.cpu.user{role:app}',
    'avg:trace.http.request.duration.p95{service:checkout-api,env:prod}',
    'avg:hikaricp.connections.active{service:checkout-api,env:prod}'
  ]) {
    near((await mean(us, query, 2, 20)) / (await mean(us, query, -30, -5)), 1, 0.08, query)
  }
})

test('the TypeError goes from none to 240 a minute and carries version:2.41.0', async () => {
  const query = '"Cannot read properties of undefined" \'currency\''
  assert.equal(
    (await search(us, 'logs/events', query, T0 - 60 * MINUTE, T0 - 1)).body.data.length,
    0
  )
  const { data } = (await search(us, 'logs/events', query, T0 + 5 * MINUTE, T0 + 8 * MINUTE - 1))
    .body
  near(data.length / 3, 240, 8, 'lines a minute')
  for (const row of data) {
    assert.ok(row.attributes.tags.includes('version:2.41.0'))
    assert.match(
      row.attributes.message,
      /^TypeError: Cannot read properties of undefined \(reading 'currency'\)\n {4}at /
    )
    assert.equal(row.attributes.status, 'error')
  }
  const named = data.filter(row => row.attributes.service === 'checkout-api').length
  near(named / data.length, 0.9, 0.05, 'lines with a service')
  assert.ok(
    data.some(row => new Set(row.attributes.tags).size < row.attributes.tags.length),
    'some lines repeat a tag'
  )
})

test('the deploys are events at their times, with what changed', async () => {
  const { data } = (await search(us, 'events', 'source:deployment env:prod', T0 - 60 * MINUTE, NOW))
    .body
  assert.deepEqual(
    data.map(e => [
      (Date.parse(e.attributes.timestamp) - T0) / MINUTE,
      e.attributes.attributes.service
    ]),
    [
      [-9, 'search-svc'],
      [-4, 'checkout-api']
    ]
  )
  const checkout = nth(data, 1)
  assert.deepEqual(checkout.attributes.attributes.new_value, {
    version: '2.41.0',
    canary_percent: 50
  })
  assert.ok(checkout.attributes.tags.includes('version:2.41.0'))
  const { truth } = simulator
  assert.equal(truth?.trigger.id, checkout.id)
  assert.equal(truth?.trigger.at, checkout.attributes.timestamp)
})

test('the monitor is in Alert since t0 + 3 min and its event says so', async () => {
  const found = await call<MonitorItem[]>(
    us,
    'GET',
    `/api/v1/monitor?name=${encodeURIComponent('checkout-api 5xx')}`
  )
  const monitor = nth(found.body, 0)
  assert.deepEqual(
    [monitor.overall_state, Date.parse(monitor.overall_state_modified) - T0],
    ['Alert', 3 * MINUTE]
  )
  const { data } = (
    await search(
      us,
      'events',
      'source:alert status:error service:checkout-api',
      T0 - 60 * MINUTE,
      NOW
    )
  ).body
  assert.deepEqual(
    data.map(e => [
      e.attributes.attributes.title,
      Date.parse(e.attributes.timestamp) - T0,
      e.attributes.attributes.monitor.id
    ]),
    [['[P1] [Triggered] checkout-api 5xx rate', 3 * MINUTE, monitor.id]]
  )
  const alerting = (
    await call<MonitorSearch>(us, 'GET', '/api/v1/monitor/search?query=status:alert')
  ).body
  assert.deepEqual(
    alerting.monitors.map(m => m.name),
    ['checkout-api 5xx rate']
  )
})

test('the distractors are there', async () => {
  near(await mean(us, 'avg:system.cpu.user{host:batch-01}', -40, 20), 91, 3, 'nightly batch')
  const staging = (from: number, to: number) =>
    search(
      us,
      'logs/events',
      'env:staging status:error service:inventory-svc',
      T0 + from * MINUTE,
      T0 + to * MINUTE
    )
  assert.ok((await staging(-20, -10)).body.data.length > 500, 'staging error burst')
  assert.equal((await staging(-9, 20)).body.data.length, 0)
  const history = (
    await search(us, 'events', 'source:alert "orders-db replication delay"', T0 - 60 * MINUTE, NOW)
  ).body.data
  assert.deepEqual(
    history.map(e => /\[(Triggered|Recovered)\]/.exec(e.attributes.attributes.title)?.[1]),
    ['Triggered', 'Recovered']
  )
  assert.ok(history.every(e => Date.parse(e.attributes.timestamp) < T0))
})

test('the other account has other hosts and sees none of it', async () => {
  const eu = accountOf(simulator, 'eu')
  const hosts = async (account: typeof eu): Promise<string[]> =>
    (await call<Hosts>(account, 'GET', '/api/v1/hosts')).body.host_list.map(h => h.name)
  const [ours, theirs] = [await hosts(us), await hosts(eu)]
  assert.equal(ours.length, 14)
  assert.equal(new Set([...ours, ...theirs]).size, 28)
  near(await mean(eu, rate('service:checkout-api,env:prod'), 2, 20), 0.4, 0.1, 'error rate')
  assert.equal(
    (await search(eu, 'logs/events', 'TypeError OR version:2.41.0', T0 - 60 * MINUTE, NOW)).body
      .data.length,
    0
  )
  assert.equal(
    (await search(eu, 'events', 'source:deployment', T0 - 60 * MINUTE, NOW)).body.data.length,
    0
  )
  assert.ok(
    (await call<MonitorItem[]>(eu, 'GET', '/api/v1/monitor')).body.every(
      m => m.overall_state === 'OK'
    )
  )
})

test('the world is as large as promised', async () => {
  const definitions = (
    await call<Page<unknown>>(us, 'GET', '/api/v2/services/definitions?page[size]=100')
  ).body.data
  assert.ok(definitions.length >= 10)
  const { default: base } = await import('../scenarios/base.json', { with: { type: 'json' } })
  assert.ok(base.metrics.length >= 30)
  for (const { name } of base.metrics) {
    const { series } = (
      await call<SeriesAnswer>(us, 'GET', metricPath(`avg:${name}{*}`, T0 - 10 * MINUTE, NOW))
    ).body
    assert.equal(series.length, 1, name)
  }
})
