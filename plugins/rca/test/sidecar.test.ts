import assert from 'node:assert/strict'
import test from 'node:test'
import { eventually } from '../../../core/test/eventually.ts'
import { simulatedApp } from './simulated-app.ts'

interface Old {
  readonly success: boolean
  readonly monitorId: string
  readonly analysis: string
  readonly templateUsed: string | null
  readonly payloadFields: number
  readonly notebook: { readonly id: string; readonly url: string } | null
  readonly monitorType?: string
  readonly error?: string
  readonly count?: number
  readonly notebooks?: readonly { readonly monitorId: string; readonly status: string }[]
  readonly notebookUpdated?: boolean
  readonly tools?: readonly { readonly name: string; readonly params: readonly string[] }[]
  readonly result?: { readonly rows: readonly unknown[] }
}

async function sidecar(t: Parameters<typeof simulatedApp>[0]) {
  const made = await simulatedApp(t)
  const { app } = made
  /** Calls a path that waits for a job, and runs the job meanwhile. */
  const waited = async (path: string, body: object) => {
    const asked = app.call<Old>('POST', path, body)
    await eventually('the job', async () => (await app.drain()) > 0)
    return asked
  }
  return { ...made, waited }
}

test('/analyze takes the old request, wrapped or bare, and gives the old answer', async t => {
  const { simulator, waited, monitor } = await sidecar(t)
  const payload = JSON.parse(simulator.renderWebhook()) as Record<string, unknown>
  const old = {
    monitor_id: Number(monitor),
    monitor_name: 'checkout-api 5xx rate',
    alert_status: 'Alert',
    service: 'checkout-api',
    scope: 'env:prod',
    tags: ['env:prod'],
    timestamp: Math.floor(Number(payload['date'] ?? Date.now()) / 1_000)
  }
  const wrapped = await waited('/v1/rca/analyze', {
    payload: old,
    template_id: 'incident-report-cloned'
  })
  assert.equal(wrapped.status, 200)
  const { success, monitorId, analysis, templateUsed, payloadFields, notebook } = wrapped.body
  assert.deepEqual(
    [success, monitorId, templateUsed, payloadFields],
    [true, monitor, 'incident-report-cloned.md', 7]
  )
  assert.match(analysis, /## Outage Tracking/)
  assert.match(analysis, /most likely caused by "Deployed checkout-api/)
  assert.ok(notebook?.url)
  const bare = await waited('/v1/rca/watchdog', { ...old, tags: 'env:prod, team:checkout' })
  assert.deepEqual(
    [bare.body.success, bare.body.monitorType, bare.body.templateUsed],
    [true, 'watchdog', null]
  )
})

test('an unknown template is refused with the choices, and an odd payload is no fault', async t => {
  const { app, waited } = await sidecar(t)
  const refused = await app.call<Old>('POST', '/v1/rca/analyze', {
    payload: {},
    template_id: 'none'
  })
  assert.equal(refused.status, 400)
  const odd = await waited('/v1/rca/analyze', {
    payload: { monitor_id: 'x', tags: 7, hostname: null, DETAILED_DESCRIPTION: '/monitors/77' }
  })
  assert.deepEqual([odd.status, odd.body.monitorId], [200, '77'])
})

test('/recover resolves, and the registry says which notebooks are open', async t => {
  const { app, alerted, waited, get, monitor } = await sidecar(t)
  await alerted()
  const before = await get<Old>('/v1/rca/notebooks/registry')
  assert.deepEqual(
    before.notebooks?.map(({ monitorId, status }) => [monitorId, status]),
    [[monitor, 'Active']]
  )
  const done = await waited('/v1/rca/recover', {
    payload: { monitor_id: monitor, alert_status: 'OK' }
  })
  assert.deepEqual([done.status, done.body.notebookUpdated], [200, true])
  const after = await get<Old>('/v1/rca/notebooks/registry')
  assert.equal(after.notebooks?.[0]?.status, 'Resolved')
  assert.equal((await app.call('POST', '/v1/rca/recover', { payload: {} })).status, 400)
})

test('tools that read are listed and run, and there is no other', async t => {
  const { app, get, monitor } = await sidecar(t)
  const { tools = [] } = await get<Old>('/v1/rca/tools')
  assert.ok(tools.some(({ name, params }) => name === 'search_logs' && params.includes('query')))
  const params = {
    query: 'status:error',
    from: new Date(Date.now() - 3_600_000).toISOString(),
    to: new Date().toISOString(),
    limit: 5
  }
  const ran = await app.call<Old>('POST', '/v1/rca/tools/execute', { tool: 'search_logs', params })
  assert.deepEqual([ran.status, ran.body.result?.rows.length], [200, 5])
  const since = Math.floor(Date.now() / 1_000) - 3_600
  for (const [tool, old] of [
    ['search_logs', { query: 'status:error', from_time: 'now-60m', to_time: 'now', limit: 5 }],
    ['search_logs', {}],
    ['get_events', { from_time: since, to_time: String(since + 3_600) }],
    ['get_host_info', { hostname: 'app-02' }],
    ['get_monitor_details', { monitor_id: Number(monitor) }],
    ['get_monitors', {}]
  ] as const) {
    const answer = await app.call<Old>('POST', '/v1/rca/tools/execute', { tool, params: old })
    assert.equal(answer.status, 200, `${tool}: ${JSON.stringify(answer.body)}`)
    assert.ok((answer.body.result?.rows.length ?? 0) > 0, `${tool} ${JSON.stringify(old)}`)
  }
  for (const tool of ['create_function', '../x', 'nothing'])
    assert.equal((await app.call('POST', '/v1/rca/tools/execute', { tool })).status, 404)
})

test('/generate-notebook answers the JSON of a notebook whose text is inert, and makes none', async t => {
  const { app, notebooks } = await sidecar(t)
  const answer = await app.call<{ notebook: string }>('POST', '/v1/rca/generate-notebook', {
    title: 'Outage',
    analysis: 'It was [here](https://evil.example)\nand there',
    monitorId: 77
  })
  assert.equal(answer.status, 200)
  const { data } = JSON.parse(answer.body.notebook) as {
    data: {
      attributes: { name: string; cells: { attributes: { definition: { text: string } } }[] }
    }
  }
  const texts = data.attributes.cells.map(cell => cell.attributes.definition.text)
  assert.equal(data.attributes.name, 'Outage')
  assert.match(texts[1] ?? '', /\/monitors\/77/)
  assert.doesNotMatch(texts[2] ?? '', /\]\(https/)
  assert.match(texts[2] ?? '', /and there/)
  assert.equal(notebooks(), 0)
  const bare = await app.call('POST', '/v1/rca/generate-notebook', { title: 'Outage' })
  assert.equal(bare.status, 400)
})
