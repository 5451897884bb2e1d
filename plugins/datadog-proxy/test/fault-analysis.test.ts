import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import demo from '../../demo/plugin.ts'
import { createSimulator, type Simulator } from '../../demo/simulator/simulator.ts'
import rca from '../../rca/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import proxy from '../plugin.ts'
import { clientOf } from './fault-site.ts'

interface Slot { slot: string; outcome: string; note: string | null; rows: unknown[] }
interface Wire { event_id: number; status: string; attempt: number; error: string | null; rca?: { url: string }; report: { verdict: string; summary: string; evidence: Slot[] } }
type Connection = Awaited<ReturnType<typeof createTestDatabase>>

/** Ends every question of an analysis, each kind in the words the report must show. */
const breaking: Record<string, { then: object; outcome: string; says: RegExp }> = {
  '429 in HTML with Reset 3494': { then: { type: '429', body: 'html', reset: 3494 }, outcome: 'error', says: /429 Too Many Requests/ },
  '429 with Reset soon': { then: { type: '429', reset: 'soon' }, outcome: 'error', says: /Rate limit of 100/ },
  '502 in JSON': { then: { type: '5xx' }, outcome: 'error', says: /502: Bad Gateway|failed 8 times in a row/ },
  '503 in HTML': { then: { type: '5xx', body: 'html' }, outcome: 'error', says: /503|failed 8 times in a row/ },
  'no answer at all': { then: { type: 'timeout' }, outcome: 'error', says: /no complete answer within 12 s/ },
  'answers that drip': { then: { type: 'slow', drip: { bytes: 1, every_ms: 100 } }, outcome: 'error', says: /no complete answer within 12 s/ },
  'connections that break': { then: { type: 'reset' }, outcome: 'error', says: /could not be reached|failed 8 times in a row/ },
  'truncated JSON': { then: { type: 'malformed' }, outcome: 'error', says: /breaks off/ },
  'a login page': { then: { type: 'malformed', body: 'html' }, outcome: 'error', says: /login page/ },
  'an empty 200': { then: { type: 'malformed', body: 'empty' }, outcome: 'error', says: /empty body/ },
  null: { then: { type: 'malformed', body: 'null' }, outcome: 'error', says: /without|not a monitor/ },
  'the wrong content type': { then: { type: 'malformed', body: 'content-type' }, outcome: 'error', says: /text\/plain/ },
  'revoked keys': { then: { type: 'auth' }, outcome: 'forbidden', says: /application key needs the permission/ }
}

/** A Datadog with these faults, and the alert it sends, which names a monitor, a metric, a service and a host. */
async function incident(t: TestContext, faults: readonly object[]): Promise<{ simulator: Simulator; alert: object }> {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const [host] = (await (await clientOf(simulator)).hosts({ filter: '', limit: 1 })).rows
  const alert = { ...JSON.parse(simulator.renderWebhook()) as object, hostname: host?.name }
  faults.forEach(fault => simulator.addFault(fault))
  return { simulator, alert }
}

async function product(t: TestContext, simulator: Simulator, connection: Connection) {
  const app = await createTestApp(t, { plugins: [demo, rca, webhooks, proxy], connection, env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts) } })
  const get = async (path: string): Promise<Wire> => (await app.call('GET', path)).body
  return {
    post: async (alert: object): Promise<number> => ((await app.call('POST', '/v1/webhooks/receive', alert)).body as Wire).event_id,
    drain: app.drain, close: app.close,
    event: (id: number) => get(`/v1/webhooks/events/${id}`),
    analysis: async (id: number) => get((await get(`/v1/webhooks/events/${id}`)).rca?.url ?? ''),
    /** Makes what waits for its retry due now. */
    hurry: async () => { await app.db('jobs.job').where({ state: 'retry' }).update({ start_after: new Date(0) }); await app.drain() }
  }
}

const notebooks = (simulator: Simulator): number => simulator.journal().filter(entry => entry.method === 'POST' && entry.path.endsWith('/notebooks')).length

async function analysed(t: TestContext, faults: readonly object[]) {
  const { simulator, alert } = await incident(t, faults)
  const rayne = await product(t, simulator, await createTestDatabase(t))
  const id = await rayne.post(alert)
  await rayne.drain()
  const analysis = await rayne.analysis(id)
  return { simulator, rayne, id, analysis, slot: Object.fromEntries(analysis.report.evidence.map(slot => [slot.slot, slot])) as Record<string, Slot> }
}

describe('one part of Datadog is broken', { concurrency: true }, () => {
  for (const [name, { then, outcome, says }] of Object.entries(breaking)) {
    test(`Rayne must report what it could not read, and never call it empty: ${name}`, async t => {
      const { analysis, slot, simulator } = await analysed(t, ['/api/v2/events', '/api/v2/logs'].map(path => ({ match: { path }, then })))
      assert.equal(analysis.status, 'done')
      for (const broken of [slot['changes'], slot['logs']]) {
        assert.equal(broken?.outcome, outcome, broken?.note ?? '')
        assert.match(broken?.note ?? '', says)
      }
      assert.deepEqual([slot['monitor']?.outcome, slot['metric']?.outcome, slot['hosts']?.outcome], ['rows', 'rows', 'rows'])
      assert.match(analysis.report.summary, /2 of 5 questions to Datadog failed \(changes, logs\)/)
      assert.equal(notebooks(simulator), 1)
    })
  }
})

describe('all of Datadog is broken', { concurrency: true }, () => {
  for (const [name, { then, outcome, says }] of Object.entries(breaking)) {
    if (outcome === 'forbidden') continue
    test(`Rayne must try again later, and then get the report: ${name}`, async t => {
      const { simulator, alert } = await incident(t, [{ then }])
      const connection = await createTestDatabase(t)
      const before = await product(t, simulator, connection)
      const id = await before.post(alert)
      await before.drain()
      const waiting = await before.event(id)
      assert.equal(waiting.status, 'pending')
      assert.match(waiting.error ?? '', /no question to Datadog was answered/)
      const { report } = await before.analysis(id)
      for (const slot of report.evidence) assert.ok(slot.outcome === 'error' && says.test(slot.note ?? ''), JSON.stringify(slot))
      assert.equal(notebooks(simulator), 0)
      await before.close()
      simulator.reset()
      // A new process, because what the account has learned of the outage holds for ten seconds.
      const after = await product(t, simulator, connection)
      await after.hurry()
      const done = await after.analysis(id)
      assert.deepEqual([done.status, done.attempt, done.error, done.report.verdict, notebooks(simulator)], ['done', 2, null, 'suspected_change', 1])
    })
  }
})

test('Rayne must say that its keys were revoked and not try for ever', async t => {
  const { analysis, rayne, id, simulator } = await analysed(t, [{ then: { type: 'auth' } }])
  assert.ok(analysis.report.evidence.every(slot => slot.outcome === 'forbidden'), JSON.stringify(analysis.report.evidence))
  assert.equal((await rayne.event(id)).status, 'failed')
  assert.match(analysis.error ?? '', /notebooks_write/)
  const asked = simulator.journal().length
  await rayne.hurry()
  assert.equal(simulator.journal().length, asked)
})

test('Rayne must keep its report when the keys are revoked before the notebook is written', async t => {
  const { analysis } = await analysed(t, [{ match: { method: 'POST', path: '/api/v1/notebooks' }, then: { type: 'auth' } }])
  assert.deepEqual([analysis.status, analysis.report.verdict], ['failed', 'suspected_change'])
  assert.match(analysis.error ?? '', /the notebook was not made: .*notebooks_write/)
})

test('Rayne must show in the report that an answer is partial', async t => {
  const { analysis, slot } = await analysed(t, [{ match: { path: '/api/v2/' }, then: { type: 'partial' } }])
  assert.equal(analysis.status, 'done')
  for (const half of [slot['changes'], slot['logs']]) {
    assert.notEqual(half?.outcome, 'empty')
    assert.match(half?.note ?? '', /ran out of time and answered in part/)
  }
})

test('Rayne must come to the same verdict when every answer is odd but readable', async t => {
  for (const body of ['unknown_enum', 'extra_field', 'int64_id', 'after_null', 'duplicate_item']) {
    const { analysis } = await analysed(t, [{ then: { type: 'schema', body } }])
    assert.deepEqual([analysis.status, analysis.report.verdict], ['done', 'suspected_change'], body)
  }
})

test("Rayne must come to the same verdict when Datadog's clock is 90 s ahead, and when reads lag behind writes", async t => {
  for (const type of ['skew', 'consistency']) {
    const { analysis, simulator } = await analysed(t, [{ then: { type } }])
    assert.deepEqual([analysis.status, analysis.report.verdict, notebooks(simulator)], ['done', 'suspected_change', 1], type)
  }
})

test('Rayne must make one notebook when the answer to the first was lost', async t => {
  const { analysis, rayne, id, simulator } = await analysed(t, [{ match: { method: 'POST', path: '/api/v1/notebooks' }, then: { type: '5xx', applied: true }, times: 1 }])
  assert.equal(analysis.status, 'pending')
  await rayne.hurry()
  const done = await rayne.analysis(id)
  assert.deepEqual([done.status, done.attempt, notebooks(simulator)], ['done', 2, 1])
})
