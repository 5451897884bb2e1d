import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SimAccount } from '../simulator.ts'
import { accountOf, call, NOW, startSimulator } from './client.ts'
import {
  nth,
  type Hosts,
  type LogItem,
  type MonitorItem,
  type NotebookItem,
  type NotebookList,
  type One,
  type Page,
  type Refusal
} from './wire.ts'

const path = '/api/v1/monitor'
async function faulted(
  context: Parameters<typeof startSimulator>[0],
  then: object,
  match: object = { path }
): Promise<{ account: SimAccount; simulator: Awaited<ReturnType<typeof startSimulator>> }> {
  const simulator = await startSimulator(context)
  const response = await fetch(`${simulator.controlUrl}/__sim/faults`, {
    method: 'POST',
    body: JSON.stringify({ match, then })
  })
  assert.equal(response.status, 200, await response.text())
  return { account: accountOf(simulator), simulator }
}

test('429: JSON, empty and HTML bodies; Reset in every recorded form; Retry-After alone', async context => {
  const cases: [object, RegExp, string | null, string | null][] = [
    [{}, /^\{"errors": \["Rate limit of/, '2', null],
    [{ body: 'empty' }, /^$/, '2', null],
    [{ body: 'html' }, /^<!DOCTYPE html>/, '2', null],
    [{ reset: 0 }, /Rate limit/, '0', null],
    [{ reset: 3494 }, /Rate limit/, '3494', null],
    [{ reset: 'soon' }, /Rate limit/, 'soon', null],
    [{ reset: 'epoch' }, /Rate limit/, String(NOW / 1000 + 2), null],
    [{ reset: null }, /Rate limit/, null, null],
    [{ retry_after: 3 }, /Rate limit/, null, '3']
  ]
  for (const [extra, body, reset, retry] of cases) {
    const { account } = await faulted(context, { type: '429', ...extra })
    const answer = await call(account, 'GET', path)
    assert.equal(answer.status, 429)
    assert.match(answer.text, body)
    assert.deepEqual(
      [answer.headers.get('x-ratelimit-reset'), answer.headers.get('retry-after')],
      [reset, retry],
      JSON.stringify(extra)
    )
  }
})

test('5xx: the recorded 502 and an HTML 503; a POST does not take effect unless told', async context => {
  const { account, simulator } = await faulted(context, { type: '5xx' }, { path: '/api/v1/' })
  const answer = await call<Refusal & { code: number }>(account, 'GET', path)
  assert.deepEqual(
    [answer.status, answer.body.code, answer.body.errors],
    [502, 502, ['Bad Gateway']]
  )
  const draft = {
    data: { type: 'notebooks', attributes: { name: 'x', cells: [], time: { live_span: '1h' } } }
  }
  assert.equal((await call(account, 'POST', '/api/v1/notebooks', draft)).status, 502)
  simulator.reset()
  assert.equal((await call<NotebookList>(account, 'GET', '/api/v1/notebooks')).body.data.length, 0)
  simulator.addFault({
    match: { method: 'POST' },
    then: { type: '5xx', body: 'html', applied: true },
    times: 1
  })
  const lost = await call(account, 'POST', '/api/v1/notebooks', draft)
  assert.deepEqual(
    [lost.status, lost.headers.get('content-type')],
    [503, 'text/html; charset=utf-8']
  )
  assert.equal((await call<NotebookList>(account, 'GET', '/api/v1/notebooks')).body.data.length, 1)
})

test('timeout: no answer comes', async context => {
  const { account } = await faulted(context, { type: 'timeout' })
  await assert.rejects(call(account, 'GET', path, undefined, AbortSignal.timeout(150)), {
    name: 'TimeoutError'
  })
})

test('slow: the answer comes late, or in drips', async context => {
  for (const then of [
    { type: 'slow', ms: 200 },
    { type: 'slow', drip: { bytes: 2000, every_ms: 40 } }
  ]) {
    const { account } = await faulted(context, then)
    const started = performance.now()
    const answer = await call<MonitorItem[]>(account, 'GET', path)
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
  for (const [body, text, type] of [
    [undefined, /^\[\{/, 'application/json'],
    ['html', /Log In/, 'text/html; charset=utf-8'],
    ['empty', /^$/, 'application/json'],
    ['null', /^null$/, 'application/json'],
    ['content-type', /^\[\{/, 'text/plain']
  ] as const) {
    const { account } = await faulted(context, {
      type: 'malformed',
      ...(body === undefined ? {} : { body })
    })
    const answer = await call(account, 'GET', path)
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, type])
    assert.match(answer.text, text)
    if (body === undefined) assert.throws(() => JSON.parse(answer.text) as unknown)
  }
})

test('auth: the keys stop working', async context => {
  const { account } = await faulted(context, { type: 'auth' }, { account: 'us1' })
  assert.deepEqual(
    [(await call(account, 'GET', path)).status, (await call(account, 'GET', path)).text],
    [403, '{"errors":["Forbidden"]}']
  )
})

test('match: method, prefix, pattern, account, nth, every, p and times; reset clears', async context => {
  const statuses = async (match: object, times?: number): Promise<number[]> => {
    const simulator = await startSimulator(context)
    simulator.addFault({ match, then: { type: '5xx' }, ...(times === undefined ? {} : { times }) })
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
  assert.deepEqual(await statuses({ path: '*/monitor' }), all)
  assert.deepEqual(await statuses({ path: '/api/*/mon*r' }), all)
  assert.deepEqual(await statuses({ path: '*/hosts' }), none)
  for (const wrong of ['/^(a+)+$/', '/monitor$/', '/api/(v1|v2)', ''])
    await assert.rejects(statuses({ path: wrong }), /match\.path is the beginning of a path/)
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
  const refused = await fetch(`${simulator.controlUrl}/__sim/faults`, {
    method: 'POST',
    body: '{}'
  })
  assert.equal(refused.status, 400)
  simulator.reset()
  assert.equal(JSON.stringify(simulator.truth), before)
})

const logs = (page: object, from = NOW - 3_600_000) => ({
  filter: { query: '', from: new Date(from).toISOString(), to: new Date(NOW).toISOString() },
  page,
  sort: 'timestamp'
})
const logPath = '/api/v2/logs/events/search'
interface BentMonitor extends MonitorItem {
  readonly unexpected_field?: unknown
}

test('schema: unknown enum, missing required, extra field and int64 id in answers that parse', async context => {
  const first = async (body: string): Promise<{ text: string; monitor: BentMonitor }> => {
    const { account } = await faulted(context, { type: 'schema', body })
    const answer = await call<BentMonitor[]>(account, 'GET', path)
    assert.equal(answer.status, 200)
    return { text: answer.text, monitor: nth(answer.body, 0) }
  }
  assert.equal((await first('unknown_enum')).monitor.overall_state, 'quantum')
  assert.equal((await first('missing_required')).monitor.query, undefined)
  assert.deepEqual((await first('extra_field')).monitor.unexpected_field, { nested: [1, null] })
  assert.match((await first('int64_id')).text, /"id":9223372036854775807[,}]/)
})

test('schema: cursors that are null, repeat, come with a short page or bring a row twice', async context => {
  const pages = async (
    body: string,
    limit: number,
    count: number
  ): Promise<[Page<LogItem>, Page<LogItem>]> => {
    const { account } = await faulted(context, { type: 'schema', body }, { path: logPath })
    const found: Page<LogItem>[] = []
    for (let i = 0; i < count; i++)
      found.push(
        (
          await call<Page<LogItem>>(
            account,
            'POST',
            logPath,
            logs({ limit, ...(i === 0 ? {} : { cursor: nth(found, i - 1).meta.page.after }) })
          )
        ).body
      )
    return [nth(found, 0), nth(found, -1)]
  }
  const [ended] = await pages('after_null', 5, 1)
  assert.equal(ended.meta.page.after, null)
  const [one, again] = await pages('repeated_cursor', 5, 2)
  assert.equal(one.meta.page.after, again.meta.page.after)
  assert.deepEqual(
    one.data.map(row => row.id),
    again.data.map(row => row.id)
  )
  const [short, next] = await pages('short_page', 10, 2)
  assert.deepEqual([short.data.length, next.data.length], [5, 5])
  assert.ok(
    !next.data.some(row => short.data.some(other => other.id === row.id)),
    'nothing is lost or repeated'
  )
  const [before, after] = await pages('duplicate_item', 5, 2)
  assert.equal(nth(after.data, 0).id, nth(before.data, -1).id)
  assert.equal(after.data.length, 6)
})

test('partial: half the rows, with status timeout and warnings', async context => {
  const { account, simulator } = await faulted(
    context,
    { type: 'partial' },
    { op: 'v2.LogsApi.listLogs' }
  )
  const answer = (await call<Page<LogItem>>(account, 'POST', logPath, logs({ limit: 100 }))).body
  assert.deepEqual(
    [answer.data.length, answer.meta.status, answer.meta.warnings.length],
    [50, 'timeout', 1]
  )
  simulator.reset()
  assert.equal(
    (await call<Page<LogItem>>(account, 'POST', logPath, logs({ limit: 100 }))).body.meta.status,
    'done'
  )
})

test('auth: the keys are revoked in the middle of a run', async context => {
  const { account } = await faulted(context, { type: 'auth' }, { account: 'us1', after: 2 })
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await call(account, 'GET', path)).status)
  assert.deepEqual(statuses, [200, 200, 403, 403])
})

test('consistency: what was just written is not found for a while', async context => {
  const { account, simulator } = await faulted(context, { type: 'consistency', ms: 4000 }, {})
  const draft = {
    data: { type: 'notebooks', attributes: { name: 'x', cells: [], time: { live_span: '1h' } } }
  }
  const { id } = (
    await call<One<NotebookItem, number>>(account, 'POST', '/api/v1/notebooks', draft)
  ).body.data
  assert.equal((await call(account, 'GET', `/api/v1/notebooks/${id}`)).status, 404)
  assert.equal((await call<NotebookList>(account, 'GET', '/api/v1/notebooks')).body.data.length, 0)
  await fetch(`${simulator.controlUrl}/__sim/clock`, {
    method: 'POST',
    body: JSON.stringify({ advance_ms: 4001 })
  })
  assert.equal((await call(account, 'GET', `/api/v1/notebooks/${id}`)).status, 200)
  assert.equal((await call<NotebookList>(account, 'GET', '/api/v1/notebooks')).body.data.length, 1)
})

test('skew: Datadog is ninety seconds ahead of us', async context => {
  const { account } = await faulted(context, { type: 'skew' }, {})
  const answer = await call<Hosts>(account, 'GET', '/api/v1/hosts')
  assert.equal(Date.parse(answer.headers.get('date') ?? ''), NOW + 90_000)
  assert.ok(nth(answer.body.host_list, 0).last_reported_time * 1000 > NOW)
})

test('between: a fault has its time', async context => {
  const { account, simulator } = await faulted(
    context,
    { type: '5xx' },
    { between: [new Date(NOW + 60_000).toISOString(), NOW + 120_000] }
  )
  const statusAfter = async (advance: number): Promise<number> => {
    await fetch(`${simulator.controlUrl}/__sim/clock`, {
      method: 'POST',
      body: JSON.stringify({ advance_ms: advance })
    })
    return (await call(account, 'GET', path)).status
  }
  assert.deepEqual(
    [await statusAfter(0), await statusAfter(61_000), await statusAfter(60_000)],
    [200, 502, 200]
  )
  assert.throws(
    () => simulator.addFault({ match: { between: ['soon', 'later'] }, then: { type: '5xx' } }),
    /between/
  )
  assert.throws(
    () => simulator.addFault({ then: { type: 'schema', body: 'strange' } }),
    /then.body/
  )
})
