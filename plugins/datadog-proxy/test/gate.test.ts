import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCircuit } from '../service/client/circuit.ts'
import { createRateLimits, routeOf } from '../service/client/rate-limit.ts'
import { DatadogError } from '../contract.ts'
import { fakeDatadog, json, window } from './loopback.ts'

const told = (
  limit: number,
  period: number,
  remaining: number,
  reset: number | string,
  name?: string
): Record<string, string> => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-period': String(period),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(reset),
  ...(name ? { 'x-ratelimit-name': name } : {})
})
const start = Date.parse('2026-01-02T03:00:00Z')
const failure = new DatadogError('unavailable', 'Datadog answered 502: Bad Gateway')

test('requests beyond what Datadog says remains wait for its reset, and those under way count', () => {
  let now = start
  const limits = createRateLimits(() => now)
  assert.deepEqual([limits.take('a'), limits.take('a')], [0, 0])
  limits.answered('a', new Headers(told(300, 3600, 2, 100)))
  assert.equal(limits.take('a'), 0)
  assert.equal(limits.take('a'), 100_000)
  assert.equal(limits.take('b'), 0)
  now += 100_000
  assert.equal(limits.take('a'), 0)
})

test('a whole period is given after the reset, not more', () => {
  let now = start
  const limits = createRateLimits(() => now)
  limits.take('a')
  limits.answered('a', new Headers(told(3, 10, 0, 5)))
  assert.equal(limits.take('a'), 5000)
  now += 5000
  assert.deepEqual(
    [limits.take('a'), limits.take('a'), limits.take('a'), limits.take('a')],
    [0, 0, 0, 10_000]
  )
})

test('routes with one limit name share it, and what is senseless changes nothing', () => {
  const limits = createRateLimits(() => start)
  for (const route of ['a', 'b']) {
    limits.take(route)
    limits.answered(route, new Headers(told(100, 10, 50, 5, 'shared')))
  }
  limits.take('a')
  limits.answered('a', new Headers(told(100, 10, 0, 5, 'shared')))
  assert.equal(limits.take('b'), 5000)
  for (const headers of [
    told(100, 10, 0, 'soon'),
    told(100, 10, 0, 0),
    told(100, 10, 0, 3494),
    told(0, 10, 0, 5),
    told(100, 10, -1, 5),
    { 'x-ratelimit-reset': '5' }
  ]) {
    limits.take('c')
    limits.answered('c', new Headers(headers))
    assert.equal(limits.take('c'), 0, JSON.stringify(headers))
    limits.answered('c')
  }
})

test('a route is the path without its ids', () => {
  const at = (path: string): string => routeOf('GET', `http://127.0.0.1:1/acct/eu${path}`)
  assert.equal(at('/api/v1/monitor/123?x=1'), 'GET /api/v1/monitor/*')
  assert.equal(at('/api/v1/monitor/search'), 'GET /api/v1/monitor/search')
  assert.equal(at('/api/v1/tags/hosts/web-1'), 'GET /api/v1/tags/hosts/*')
  assert.equal(at('/api/v1/hosts/totals'), 'GET /api/v1/hosts/totals')
})

test('an account whose limit is used up waits for the reset when the call has the time', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: start })
  const { account, seen, waits } = await fakeDatadog(
    t,
    (response, _seen, nth) =>
      json(response, { data: [] }, 200, told(300, 3600, nth === 1 ? 0 : 299, 15)),
    {
      retry: {
        sleep: async ms => {
          waits.push(ms)
          t.mock.timers.tick(ms)
        },
        random: () => 0
      }
    }
  )
  const search = { query: 'x', window, limit: 5 }
  await account.events(search)
  await account.events(search)
  assert.deepEqual([seen.length, waits], [2, [15_000]])
})

test('an account whose limit is used up for longer says rate_limited and when, without a request', async t => {
  const { account, seen } = await fakeDatadog(t, response =>
    json(response, { data: [] }, 200, told(300, 3600, 0, 3000))
  )
  await account.events({ query: 'x', window, limit: 5 })
  await assert.rejects(
    account.events({ query: 'x', window, limit: 5 }),
    (error: DatadogError) =>
      error.failure === 'rate_limited' &&
      error.status === 429 &&
      Math.abs((error.details.retryAfterSeconds ?? 0) - 3000) <= 1 &&
      /events\/search/.test(error.message)
  )
  assert.equal(seen.length, 1)
})

test('a circuit opens after failures in a row, lets one request try, and closes or waits twice as long', () => {
  let now = start
  const circuit = createCircuit({ where: 'us1', threshold: 3, now: () => now })
  for (let n = 0; n < 3; n++) {
    circuit.enter()
    circuit.failed(failure)
  }
  assert.throws(
    () => circuit.enter(),
    (error: DatadogError) =>
      error.details.retryAfterSeconds === 10 &&
      /failed 3 times in a row and is tried again at 2026-01-02T03:00:10.000Z; last: .*Bad Gateway/.test(
        error.message
      )
  )
  now += 10_000
  circuit.enter()
  assert.throws(() => circuit.enter(), /tried again right now/)
  circuit.failed(failure)
  now += 19_000
  assert.throws(() => circuit.enter(), /03:00:30/)
  now += 1000
  circuit.enter()
  circuit.abandoned()
  circuit.enter()
  circuit.succeeded()
  circuit.enter()
  circuit.enter()
})

test('an account that fails on and on is left alone, and is back by itself', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: start })
  let status = 502
  const { account, seen } = await fakeDatadog(t, response =>
    json(
      response,
      status === 200 ? { total_up: 1, total_active: 2 } : { errors: ['Bad Gateway'] },
      status
    )
  )
  for (let n = 0; n < 3; n++) await assert.rejects(account.hostTotals(), DatadogError)
  assert.equal(seen.length, 8)
  const error = (await account.hostTotals().catch((thrown: unknown) => thrown)) as DatadogError
  assert.deepEqual(
    [error.failure, error.status, error.details.retryAfterSeconds, seen.length],
    ['unavailable', 502, 10, 8]
  )
  t.mock.timers.tick(10_000)
  status = 200
  assert.deepEqual(await account.hostTotals(), { up: 1, active: 2 })
})

test('refusals by Datadog and by the caller do not open the circuit', async t => {
  const { account, seen } = await fakeDatadog(t, (response, { url }) =>
    url.includes('totals') ? undefined : json(response, { errors: ['no'] }, 404)
  )
  for (let n = 0; n < 12; n++) await assert.rejects(account.monitor('1'), /404/)
  for (let n = 0; n < 9; n++)
    await assert.rejects(account.hostTotals({}, { timeoutMs: 5 }), /within 0.005 s/)
  await assert.rejects(account.monitor('1'), /404/)
  assert.ok(seen.length >= 13)
})
