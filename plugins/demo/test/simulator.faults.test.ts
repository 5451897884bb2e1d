import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SimAccount } from '../simulator/simulator.ts'
import { accountOf, call, NOW, startSimulator } from './simulator.client.ts'

const path = '/api/v1/monitor'
async function faulted(context: Parameters<typeof startSimulator>[0], then: object, match: object = { path }): Promise<{ account: SimAccount; simulator: Awaited<ReturnType<typeof startSimulator>> }> {
  const simulator = await startSimulator(context)
  const response = await fetch(`${simulator.controlUrl}/__sim/faults`, { method: 'POST', body: JSON.stringify({ match, then }) })
  assert.equal(response.status, 200, await response.text())
  return { account: accountOf(simulator), simulator }
}

test('429: JSON, empty and HTML bodies; Reset in every recorded form; Retry-After alone', async context => {
  const cases: [object, RegExp, string | null, string | null][] = [
    [{}, /^\{"errors": \["Rate limit of/, '2', null], [{ body: 'empty' }, /^$/, '2', null], [{ body: 'html' }, /^<!DOCTYPE html>/, '2', null], [{ reset: 0 }, /Rate limit/, '0', null], [{ reset: 3494 }, /Rate limit/, '3494', null],
    [{ reset: 'soon' }, /Rate limit/, 'soon', null], [{ reset: 'epoch' }, /Rate limit/, String(NOW / 1000 + 2), null], [{ reset: null }, /Rate limit/, null, null], [{ retry_after: 3 }, /Rate limit/, null, '3']
  ]
  for (const [extra, body, reset, retry] of cases) {
    const { account } = await faulted(context, { type: '429', ...extra })
    const answer = await call(account, 'GET', path)
    assert.equal(answer.status, 429)
    assert.match(answer.text, body)
    assert.deepEqual([answer.headers.get('x-ratelimit-reset'), answer.headers.get('retry-after')], [reset, retry], JSON.stringify(extra))
  }
})

test('5xx: the recorded 502 and an HTML 503; a POST does not take effect unless told', async context => {
  const { account, simulator } = await faulted(context, { type: '5xx' }, { path: '/api/v1/' })
  const answer = await call(account, 'GET', path)
  assert.deepEqual([answer.status, answer.body.code, answer.body.errors], [502, 502, ['Bad Gateway']])
  const draft = { data: { type: 'notebooks', attributes: { name: 'x', cells: [], time: { live_span: '1h' } } } }
  assert.equal((await call(account, 'POST', '/api/v1/notebooks', draft)).status, 502)
  simulator.reset()
  assert.equal((await call(account, 'GET', '/api/v1/notebooks')).body.data.length, 0)
  simulator.addFault({ match: { method: 'POST' }, then: { type: '5xx', body: 'html', applied: true }, times: 1 })
  const lost = await call(account, 'POST', '/api/v1/notebooks', draft)
  assert.deepEqual([lost.status, lost.headers.get('content-type')], [503, 'text/html; charset=utf-8'])
  assert.equal((await call(account, 'GET', '/api/v1/notebooks')).body.data.length, 1)
})

test('timeout: no answer comes', async context => {
  const { account } = await faulted(context, { type: 'timeout' })
  await assert.rejects(call(account, 'GET', path, undefined, AbortSignal.timeout(150)), { name: 'TimeoutError' })
})

test('slow: the answer comes late, or in drips', async context => {
  for (const then of [{ type: 'slow', ms: 200 }, { type: 'slow', drip: { bytes: 2000, every_ms: 40 } }]) {
    const { account } = await faulted(context, then)
    const started = performance.now()
    const answer = await call(account, 'GET', path)
    assert.ok(performance.now() - started > 150, JSON.stringify(then))
    assert.equal(answer.body.length, 9)
  }
})

test('reset: the connection breaks in the middle of the body', async context => {
  const { account } = await faulted(context, { type: 'reset' })
  await assert.rejects(call(account, 'GET', path), TypeError)
  assert.equal((await call(account, 'GET', '/api/v1/hosts')).status, 200)
})

test('malformed: truncated, HTML, empty, null and a wrong content type, all with 200', async context => {
  for (const [body, text, type] of [[undefined, /^\[\{/, 'application/json'], ['html', /Log In/, 'text/html; charset=utf-8'], ['empty', /^$/, 'application/json'], ['null', /^null$/, 'application/json'], ['content-type', /^\[\{/, 'text/plain']] as const) {
    const { account } = await faulted(context, { type: 'malformed', ...body === undefined ? {} : { body } })
    const answer = await call(account, 'GET', path)
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, type])
    assert.match(answer.text, text)
    if (body === undefined) assert.throws(() => JSON.parse(answer.text) as unknown)
  }
})

test('auth: the keys stop working', async context => {
  const { account } = await faulted(context, { type: 'auth' }, { account: 'us1' })
  assert.deepEqual([(await call(account, 'GET', path)).status, (await call(account, 'GET', path)).text], [403, '{"errors":["Forbidden"]}'])
})

test('match: method, prefix, pattern, account, nth, every, p and times; reset clears', async context => {
  const statuses = async (match: object, times?: number): Promise<number[]> => {
    const simulator = await startSimulator(context)
    simulator.addFault({ match, then: { type: '5xx' }, ...times === undefined ? {} : { times } })
    const found: number[] = []
    for (let i = 0; i < 6; i++) found.push((await call(accountOf(simulator), 'GET', path)).status)
    simulator.reset()
    assert.equal((await call(accountOf(simulator), 'GET', path)).status, 200)
    return found
  }
  const [all, none] = [Array<number>(6).fill(502), Array<number>(6).fill(200)]
  assert.deepEqual(await statuses({}), all)
  assert.deepEqual(await statuses({ method: 'get', path: '/api/v1/mon' }), all)
  assert.deepEqual(await statuses({ method: 'POST' }), none)
  assert.deepEqual(await statuses({ path: '/monitor$/' }), all)
  assert.deepEqual(await statuses({ path: '/hosts$/' }), none)
  assert.deepEqual(await statuses({ account: 'eu' }), none)
  assert.deepEqual(await statuses({ nth: 3 }), [200, 200, 502, 200, 200, 200])
  assert.deepEqual(await statuses({ every: 2 }), [200, 502, 200, 502, 200, 502])
  assert.deepEqual(await statuses({}, 2), [502, 502, 200, 200, 200, 200])
  assert.deepEqual(await statuses({ p: 0.5 }), await statuses({ p: 0.5 }), 'chance is seeded')
  assert.deepEqual([await statuses({ p: 0 }), await statuses({ p: 1 })], [none, all])
})

test('a fault never alters the truth, and an unknown one is refused', async context => {
  const { simulator } = await faulted(context, { type: '5xx' }, {})
  const before = JSON.stringify(simulator.truth)
  assert.throws(() => simulator.addFault({ then: { type: 'earthquake' } }), /then.type/)
  const refused = await fetch(`${simulator.controlUrl}/__sim/faults`, { method: 'POST', body: '{}' })
  assert.equal(refused.status, 400)
  simulator.reset()
  assert.equal(JSON.stringify(simulator.truth), before)
})
