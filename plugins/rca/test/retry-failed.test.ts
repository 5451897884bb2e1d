import assert from 'node:assert/strict'
import test from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { createSimulator } from '../../../simulator/simulator.ts'
import datadogProxy from '../../datadog-proxy/plugin.ts'
import demo from '../../demo/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import rca from '../plugin.ts'

interface Event {
  readonly event_id: number
  readonly status: string
  readonly error: string | null
  readonly rca?: { readonly url: string }
  readonly notebook?: { readonly url: string } | null
}
interface Analysis {
  readonly status: string
  readonly attempt: number
  readonly error: string | null
  readonly report: { readonly verdict: string } | null
  readonly notebook: { readonly id: string } | null
}
interface Jobs {
  readonly jobs: readonly { readonly id: string; readonly name: string; readonly error: string }[]
}

test('a retry ends a failed analysis with one report and one notebook', async t => {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  simulator.addFault({
    match: { method: 'POST', path: '/api/v1/notebooks' },
    then: { type: 'auth' }
  })
  const app = await createTestApp(t, {
    plugins: [demo, datadogProxy, rca, webhooks],
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts) }
  })
  const get = async <T>(path: string): Promise<T> => (await app.call('GET', path)).body
  const posted: Event = (await app.call('POST', '/v1/webhooks/receive', simulator.renderWebhook()))
    .body
  await app.drain()
  const failed = await get<Event>(`/v1/webhooks/events/${posted.event_id}`)
  assert.equal(failed.status, 'failed')
  assert.match(failed.error ?? '', /the notebook was not made: .*notebooks_write/)
  const url = failed.rca?.url ?? ''
  const first = await get<Analysis>(url)
  assert.deepEqual(
    [first.status, first.attempt, first.report?.verdict, first.notebook],
    ['failed', 1, 'suspected_change', null]
  )
  const [job, ...others] = (await get<Jobs>('/v1/jobs?state=failed')).jobs
  assert.deepEqual([job?.name, job?.error, others], ['rca.analyse', failed.error, []])

  simulator.reset()
  assert.equal((await app.call('POST', `/v1/jobs/${job?.id}/retry`)).status, 202)
  await app.drain()
  const done = await get<Event>(`/v1/webhooks/events/${posted.event_id}`)
  assert.deepEqual([done.status, done.rca?.url], ['processed', url])
  assert.ok(done.notebook?.url)
  const second = await get<Analysis>(url)
  assert.deepEqual(
    [second.status, second.attempt, second.error, second.report?.verdict],
    ['done', 2, null, 'suspected_change']
  )
  const notebooks = simulator
    .journal()
    .filter(entry => entry.method === 'POST' && entry.path.endsWith('/notebooks'))
  assert.equal(notebooks.length, 1)
  assert.equal((await get<{ total_count: number }>('/v1/rca')).total_count, 1)
  assert.deepEqual((await get<Jobs>('/v1/jobs?state=failed')).jobs, [])
})
