import assert from 'node:assert/strict'
import test from 'node:test'
import { eventually } from '../../../core/test/eventually.ts'
import type { Step } from '../contract.ts'
import { simulatedApp, type Analysis } from './simulated-app.ts'

interface Opened {
  readonly id: string
  readonly url: string
  readonly error?: string
  readonly code?: string
}
interface Steps {
  readonly steps: readonly Step[]
  readonly next_after: number
  readonly ended: boolean
}
interface List {
  readonly analyses: readonly Analysis[]
  readonly total_count: number
}

test('`rayne analyse` finds the cause of an alert that no webhook told of, and leaves it in the list', async t => {
  const { app, analysis, get, monitor, notebooks, simulator } = await simulatedApp(t)
  const answer = await app.run('analyse', {}, { monitor })
  const { id, status } = answer.value as Analysis
  assert.deepEqual([status, answer.failed], ['done', false])
  const stored = await analysis(id)
  assert.deepEqual(
    [stored.event_id, stored.requested_by, stored.report?.verdict],
    [null, 'rayne analyse', 'suspected_change']
  )
  assert.equal(stored.report?.component, simulator.truth?.component)
  const [markdown = ''] = answer.lines
  assert.match(markdown, /most likely caused by/)
  assert.match(markdown, /https?:\/\/[^)]*\/monitors\/\d+/)
  assert.equal(notebooks(), 1)
  const { steps, ended } = await get<Steps>(`/v1/rca/${id}/steps`)
  assert.equal(ended, true)
  const kinds = steps.map(({ kind }) => kind)
  assert.deepEqual([kinds[0], kinds.at(-1)], ['begun', 'ended'])
  assert.ok(kinds.filter(kind => kind === 'asked').length === stored.report?.evidence.length)
  // The job that would end a killed run finds nothing to do.
  await app
    .db('jobs.job')
    .where({ name: 'rca.analyse' })
    .update({ start_after: new Date(0) })
  assert.ok((await app.drain()) >= 1)
  assert.deepEqual([(await analysis(id)).attempt, notebooks()], [1, 1])
})

test('`rayne analyse` says what is wrong and ends with a failure', async t => {
  const { app, simulator, monitor, get } = await simulatedApp(t)
  await assert.rejects(app.run('analyse', {}, { monitor: '1' }), { code: 'datadog-not-found' })
  await assert.rejects(app.run('analyse', {}, { monitor, account: 'nobody' }), {
    code: 'account-not-found'
  })
  await assert.rejects(app.run('analyse', {}, { monitor, at: 'yesterday' }), {
    code: 'invalid-input',
    message: /--at takes a time/
  })
  assert.equal((await get<List>('/v1/rca')).total_count, 0)
  simulator.addFault({
    match: { method: 'POST', path: '/api/v1/notebooks' },
    then: { type: 'auth' }
  })
  const answer = await app.run('analyse', {}, { monitor })
  assert.equal(answer.failed, true)
  assert.match(answer.lines.at(-1) ?? '', /The analysis failed: the notebook was not made/)
  assert.match(answer.lines[0] ?? '', /most likely caused by/)
  const without = await app.run('analyse', {}, { monitor, notebook: false })
  assert.deepEqual([without.failed, (without.value as Analysis).notebook], [false, null])
})

test('`rayne analyse --url` has a server do it, and shows its steps and its report', async t => {
  const { app, monitor, analysis } = await simulatedApp(t)
  const running = app.run('analyse', {}, { monitor, url: app.url, notebook: false })
  await eventually('the job', async () => (await app.drain()) > 0)
  const answer = await running
  const { id, status } = answer.value as Analysis
  assert.deepEqual([status, (await analysis(id)).requested_by], ['done', 'local admin'])
  assert.match(answer.lines.join('\n'), /most likely caused by/)
  await assert.rejects(app.run('analyse', {}, { monitor: '1', url: app.url }), {
    code: 'server-refused',
    status: 404
  })
  await assert.rejects(app.run('analyse', {}, { monitor, url: 'http://127.0.0.1:1' }), {
    code: 'server-unreachable',
    message: /nothing answers at http:\/\/127\.0\.0\.1:1/
  })
})

test('steps are replayed from where a reader left off, and the stream ends with the analysis', async t => {
  const { app, alerted } = await simulatedApp(t)
  const { id } = await alerted()
  const live = async (after: string): Promise<string> =>
    (
      await fetch(`${app.url}/v1/rca/${id}/steps/live`, { headers: { 'last-event-id': after } })
    ).text()
  const whole = await live('0')
  const ids = [...whole.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number))
  assert.ok(ids.length >= 5)
  assert.match(whole, /event: end\ndata: {"status":"done"}\n\n$/)
  const rest = await live(String(ids[2]))
  assert.deepEqual(
    [...rest.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number)),
    ids.slice(3)
  )
  const odd = await fetch(`${app.url}/v1/rca/${id}/steps/live?after=x`)
  assert.equal(odd.status, 400)
  const none = await fetch(`${app.url}/v1/rca/00000000-0000-4000-8000-000000000000/steps/live`)
  assert.equal(none.status, 404)
})

test('an alert is analysed again without a second notebook, and the new one names the old', async t => {
  const { app, alerted, analysis, notebooks } = await simulatedApp(t)
  const first = await alerted()
  const { status, body } = await app.call<Opened>('POST', `/v1/rca/${first.id}/rerun`, {})
  assert.equal(status, 202)
  await app.drain()
  const second = await analysis(body.id)
  assert.deepEqual(
    [second.status, second.rerun_of, second.notebook, second.report?.component],
    ['done', first.id, null, first.report?.component]
  )
  assert.equal(notebooks(), 1)
  const refused = await app.call<Opened>('POST', `/v1/rca/${first.id}/rerun`, { model: 'other' })
  assert.equal(refused.status, 409)
  assert.match(refused.body.error ?? '', /no model is configured/)
})

test('a cancelled analysis does nothing more, and only what has not ended can be cancelled', async t => {
  const { app, analysis, monitor, notebooks, get } = await simulatedApp(t)
  const { body } = await app.call<Opened>('POST', '/v1/rca', { monitor_id: monitor })
  const cancelled = await app.call<Opened>('POST', `${body.url}/cancel`)
  assert.equal(cancelled.status, 200)
  await app.drain()
  const ended = await analysis(body.id)
  assert.deepEqual(
    [ended.status, ended.error, ended.report, notebooks()],
    ['cancelled', 'cancelled by local admin', null, 0]
  )
  assert.equal((await app.call('POST', `${body.url}/cancel`)).status, 409)
  assert.equal((await app.call('POST', `${body.url}/orders`, { text: 'look' })).status, 409)
  const jobs = await get<{ jobs: unknown[] }>('/v1/jobs?state=failed')
  assert.deepEqual(jobs.jobs, [])
})

test('the list is filtered by what an analysis is about and how it ended', async t => {
  const { alerted, get, monitor } = await simulatedApp(t)
  const { id, account, report } = await alerted()
  const count = async (query: string): Promise<number> =>
    (await get<List>(`/v1/rca?${query}`)).total_count
  const fits = [
    `monitor_id=${monitor}`,
    `account=${account}`,
    'status=done',
    `verdict=${report?.verdict}`,
    'from=2020-01-01T00:00:00Z',
    'to=2099-01-01T00:00:00Z',
    `service=${report?.component}`
  ]
  for (const query of [...fits, fits.join('&')]) assert.equal(await count(query), 1, query)
  const misses = [
    'monitor_id=1',
    'account=nobody',
    'status=failed',
    'verdict=nothing_wrong',
    'service=none',
    'from=2099-01-01T00:00:00Z',
    'to=2020-01-01T00:00:00Z'
  ]
  for (const query of misses) assert.equal(await count(query), 0, query)
  assert.equal((await get<List>(`/v1/rca?${fits[0]}`)).analyses[0]?.id, id)
})
