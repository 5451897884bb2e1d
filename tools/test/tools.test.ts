import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { createTestApp } from '../../core/testing.ts'
import { simulatedTools } from './simulated-tools.ts'

const listQuestions: Record<string, [object, object]> = {
  list_services: [{ filter: 'checkout' }, { filter: 'nobody-has-this-name' }],
  datadog_get: [
    { path: '/api/v1/search', query: { q: 'metrics:system' } },
    { path: '/api/v1/downtime', query: {} }
  ],
  get_host_info: [{ filter: 'a', limit: 3 }, { filter: 'nobody-has-this-name' }],
  get_monitors: [{ query: 'status:alert' }, { query: 'nobody-has-this-name' }],
  get_triggered_monitors: [{ state: 'alert' }, { state: 'alert', query: 'nobody-has-this-name' }]
}

/** For each tool a question the simulated incident has rows for, and one it has none for. */
const questions = (
  window: { from: string; to: string },
  traceId: string
): Record<string, [object, object]> => ({
  search_logs: [
    { query: 'service:checkout-api status:error', ...window, limit: 5 },
    { query: 'service:nobody', ...window }
  ],
  get_events: [
    {
      query: 'source:(deploy OR deployment OR change_tracking OR kubernetes OR github)',
      ...window
    },
    { query: 'source:nobody', ...window }
  ],
  query_metrics: [
    { query: 'avg:system.cpu.user{*} by {host}', ...window },
    { query: 'avg:system.cpu.user{host:nobody}', ...window }
  ],
  aggregate_logs: [
    { query: 'status:error', ...window, group_by: ['service'] },
    { query: 'service:nobody', ...window, group_by: ['service'] }
  ],
  log_patterns: [
    { query: 'service:checkout-api', ...window, split: minutesInto(window, 30) },
    { query: 'service:nobody', ...window, split: minutesInto(window, 30) }
  ],
  service_dependencies: [
    { service: 'checkout-api', ...window },
    { service: 'nobody', ...window }
  ],
  list_changes: [{ ...window }, { query: 'service:nobody', ...window }],
  get_slo_status: [
    { query: '', ...window, limit: 2 },
    { query: 'nobody-has-this-name', ...window }
  ],
  search_rum_events: [
    { query: '@type:error', ...window, limit: 5 },
    { query: '@type:nothing', ...window }
  ],
  ...listQuestions,
  search_spans: [
    { query: 'service:checkout-api', ...window, limit: 5 },
    { query: 'service:nobody', ...window }
  ],
  get_trace: [
    { trace_id: traceId, ...window },
    { trace_id: '12345', ...window }
  ]
})
/** A time so many minutes into a window. */
const minutesInto = ({ from }: { from: string }, minutes: number): string =>
  new Date(Date.parse(from) + minutes * 60_000).toISOString()
/** Tools that always have something to say or an error, and those with a test of their own. */
const apart = [
  'compare_accounts',
  'find_sessions',
  'find_similar_incidents',
  'get_analysis',
  'get_incidents',
  'get_monitor_details',
  'get_session',
  'list_accounts',
  'list_downtimes'
]
const writing = ['create_notebook', 'mute_host', 'schedule_downtime', 'start_analysis']
const ending = ['cancel_downtime']

async function start(t: TestContext) {
  const { ask, window, app } = await simulatedTools(t)
  const failing = { query: 'service:checkout-api status:error', ...window, limit: 1 }
  const { rows } = await ask('search_spans', failing)
  const asked = questions(window, String(rows[0]?.['trace_id']))
  const files = readdirSync(new URL('../', import.meta.url)).filter(name => name.endsWith('.ts'))
  const ofPlugins = ({ name }: { name: string }): boolean => !files.includes(`${name}.ts`)
  const all = await app.toolbox.list()
  assert.equal(all.length - all.filter(ofPlugins).length, files.length)
  return { tools: all.filter(tool => !ofPlugins(tool)), asked, ask }
}

test('the Datadog tools', async t => {
  const { tools, asked, ask } = await start(t)
  const [logs = {}] = asked['search_logs'] ?? []

  await t.test('are named as their files, say whether they write and what they cannot do', () => {
    assert.deepEqual(
      tools.map(tool => tool.name).toSorted(),
      [...Object.keys(asked), ...apart, ...writing, ...ending].toSorted()
    )
    for (const { effect, description, name } of tools) {
      const changes = writing.includes(name) ? 'write' : ending.includes(name) ? 'destroy' : 'read'
      assert.equal(effect, changes, name)
      assert.match(
        description,
        /cannot|does not|has no|knows the|too\.|shows no|not here|is not/,
        name
      )
    }
  })

  await t.test('answer rows with their window, and why there are none', async () => {
    for (const [name, [some, none]] of Object.entries(asked)) {
      const found = await ask(name, some)
      assert.ok(found.rows.length > 0, `${name}: ${JSON.stringify(found)}`)
      assert.equal(found.simulated, true)
      const { from, to } = some as { from?: string; to?: string }
      assert.deepEqual(found.window, from === undefined ? null : { from, to }, name)
      const empty = await ask(name, none)
      assert.deepEqual([empty.rows, empty.total, empty.truncated], [[], 0, false], name)
      assert.ok(
        empty.note?.includes(`nothing matches \`${empty.asked}\``),
        `${name}: ${empty.note}`
      )
      if (from !== undefined) assert.ok(empty.note?.includes(` from ${from} to ${to}`), name)
      for (const { link } of [found, empty])
        if (name !== 'datadog_get') assert.match(link ?? '', /^https?:\/\/[^/]+\/\w/, name)
    }
  })

  await t.test('show a trace as a tree, with what each span spent itself', async () => {
    const [question = {}] = asked['get_trace'] ?? []
    const { rows } = await ask('get_trace', question)
    const places = new Map(rows.map((row, at) => [row['span_id'], at]))
    assert.ok(rows.length >= 2, JSON.stringify(rows))
    for (const [at, row] of rows.entries()) {
      const parent = places.get(row['parent_id'])
      assert.equal(row['depth'], parent === undefined ? 0 : Number(rows[parent]?.['depth']) + 1)
      assert.ok(parent === undefined || parent < at)
      assert.ok(Number(row['self_ms']) <= Number(row['duration_ms']))
    }
    assert.ok(rows.some(row => row['error'] !== ''))
  })

  await t.test('show one monitor, and say when there is none', async () => {
    const { rows } = await ask('get_triggered_monitors', {})
    const [first] = rows
    const one = await ask('get_monitor_details', { monitor_id: first?.['id'] })
    assert.deepEqual(
      [one.rows[0]?.['name'], one.rows[0]?.['url']],
      [first?.['name'], first?.['url']]
    )
    await assert.rejects(ask('get_monitor_details', { monitor_id: '1' }), {
      code: 'datadog-not-found'
    })
  })

  await t.test('name the accounts that can be asked', async () => {
    const { rows } = await ask('list_accounts', {})
    assert.ok(rows.length > 0)
    for (const { name } of rows) await ask('get_monitors', { query: '' }, String(name))
  })

  await t.test('say that more exists than they show', async () => {
    const answer = await ask('search_logs', logs)
    assert.deepEqual([answer.rows.length, answer.truncated], [5, true])
    assert.match(answer.note ?? '', /more than the 5 rows shown exist/)
  })

  await t.test('refuse a bad window, an unknown field and an unknown account', async () => {
    const change = (field: object): Promise<unknown> => ask('search_logs', { ...logs, ...field })
    await assert.rejects(change({ to: '2020-01-01T00:00:00Z' }), /to must be after/)
    await assert.rejects(change({ from: '2020-01-01T00:00:00Z' }), /more than 7 days/)
    await assert.rejects(change({ from: 'yesterday' }), { code: 'invalid-input' })
    await assert.rejects(change({ limt: 5 }), /limt is not a known field/)
    await assert.rejects(ask('search_logs', logs, 'nobody'), { code: 'account-not-found' })
  })
})

test('a tool whose services nobody provides is not listed', async t => {
  const { toolbox } = await createTestApp(t, { plugins: [] })
  assert.deepEqual(await toolbox.list(), [])
})
