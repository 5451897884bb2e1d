import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { simulatedTools } from './simulated-tools.ts'

test('the tools that compute from signals', async t => {
  const { simulator, ask, window } = await simulatedTools(t)
  const onset = new Date(simulator.t0).toISOString()

  await t.test('a metric says when it left what was usual, and its figures', async () => {
    const query = 'sum:trace.http.request.errors{service:checkout-api,env:prod}.as_count()'
    const { rows } = await ask('query_metrics', { query, ...window })
    const { change, min, median, max, buckets, without_data } = rows[0] as Record<
      string,
      number
    > & {
      change: { at: string; direction: string; before: number; after: number }
    }
    assert.equal(change.direction, 'up')
    assert.ok(Math.abs(Date.parse(change.at) - simulator.t0) <= 2 * 60_000, change.at)
    assert.ok(change.after > 3 * change.before)
    assert.ok(Number(min) <= Number(median) && Number(median) <= Number(max))
    assert.ok(Number(without_data) < Number(buckets))
  })

  await t.test('changes have a kind, and the guilty deploy is among them', async () => {
    const { rows } = await ask('list_changes', { ...window })
    const guilty = rows.find(row => row['service'] === 'checkout-api' && row['kind'] === 'deploy')
    assert.ok(guilty, JSON.stringify(rows))
    assert.match(String(guilty['title']), /2\.41\.0/)
    assert.ok(Date.parse(String(guilty['at'])) < simulator.t0)
  })

  await t.test('shapes of log lines before and after: what began is new', async () => {
    const question = { query: 'service:checkout-api env:prod', ...window, split: onset }
    const { rows } = await ask('log_patterns', question)
    const began = rows.find(row => /currency/.test(String(row['pattern'])))
    assert.ok(began, JSON.stringify(rows))
    assert.ok(began['change'] === 'new' || Number(began['times_as_often']) > 10)
    assert.ok(Date.parse(String(began['first_at'])) >= simulator.t0 - 2 * 60_000)
    const outside = { ...question, split: '2020-01-01T00:00:00Z' }
    await assert.rejects(ask('log_patterns', outside), /split must lie between/)
  })

  await t.test('lines are counted over all of them, by facet and over time', async () => {
    const query = 'status:error env:prod'
    const { rows } = await ask('aggregate_logs', { query, ...window, group_by: ['service'] })
    assert.deepEqual(Object.keys(rows[0]?.['by'] as object), ['service'])
    const alone = await ask('aggregate_logs', { query, ...window, interval: '5m' })
    const sum = Number(alone.rows[0]?.['sum'])
    const whole = await ask('aggregate_logs', { query, ...window })
    assert.equal(sum, whole.rows[0]?.['value'])
    assert.match(String(alone.rows[0]?.['points']), /^\d{4}-.+ \d+, /)
    await assert.rejects(
      ask('aggregate_logs', { query, ...window, aggregation: 'avg' }),
      /measure is needed for avg/
    )
  })

  await t.test('traces tell who calls whom', async () => {
    const { rows, note } = await ask('service_dependencies', { service: 'checkout-api', ...window })
    const pairs = rows.map(({ caller, callee }) => `${String(caller)} ${String(callee)}`)
    assert.ok(pairs.includes('web-gateway checkout-api'), pairs.join())
    assert.match(note ?? '', /read from \d+ spans of \d+ traces/)
    await assert.rejects(
      ask('service_dependencies', { service: 'a OR *', ...window }),
      /is the name of a service/
    )
  })
})

test('the tools that read what people made', async t => {
  const { simulator, ask, window } = await simulatedTools(t)
  const [account] = simulator.accounts
  assert.ok(account)
  const write = async (method: string, path: string, body: object): Promise<Response> =>
    fetch(`${account.baseUrl}${path}`, {
      method,
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        'dd-api-key': account.apiKey,
        'dd-application-key': account.appKey
      }
    })

  await t.test('objectives say what is left of their budget', async () => {
    const { rows } = await ask('get_slo_status', { ...window, limit: 3 })
    for (const row of rows) {
      const [target, value, left] = ['target_percent', 'value_percent', 'budget_left_percent'].map(
        name => Number(row[name])
      )
      assert.ok(target && value && left !== undefined)
      assert.equal(left, Math.round((1 - (100 - value) / (100 - target)) * 1_000) / 10)
    }
  })

  await t.test('incidents and downtimes that people made', async () => {
    assert.deepEqual((await ask('get_incidents', {})).rows, [])
    const made = await write('POST', '/api/v2/incidents', {
      data: {
        type: 'incidents',
        attributes: {
          title: 'Checkout fails',
          customer_impacted: true,
          fields: { severity: { type: 'dropdown', value: 'SEV-2' } }
        }
      }
    })
    assert.equal(made.status, 201)
    const { rows, total } = await ask('get_incidents', {})
    assert.deepEqual(
      [rows[0]?.['title'], rows[0]?.['severity'], rows[0]?.['state'], total],
      ['Checkout fails', 'SEV-2', 'active', 1]
    )
    const none = await ask('list_downtimes', {})
    assert.match(none.note ?? '', /nothing is muted now/)
    await write('POST', '/api/v2/downtime', {
      data: {
        type: 'downtime',
        attributes: { scope: 'env:staging', monitor_identifier: { monitor_tags: ['team:x'] } }
      }
    })
    const muted = await ask('list_downtimes', {})
    assert.deepEqual([muted.rows[0]?.['scope'], muted.rows[0]?.['to']], ['env:staging', null])
  })

  await t.test('accounts are compared by name, and an unknown one is an error', async () => {
    const names = simulator.accounts.map(({ name }) => name)
    const question = { query: 'avg:system.cpu.user{*}', ...window }
    const { rows } = await ask('compare_accounts', { accounts: names, ...question })
    assert.deepEqual(new Set(rows.map(row => row['account'])), new Set(names))
    for (const row of rows) assert.ok(Number(row['mean']) > 0, JSON.stringify(row))
    await assert.rejects(ask('compare_accounts', { accounts: [...names, 'nobody'], ...question }), {
      code: 'account-not-found'
    })
  })

  await t.test('the long tail is read by path, and only what is listed', async () => {
    const hosts = await ask('datadog_get', { path: '/api/v1/hosts/totals' })
    assert.deepEqual(Object.keys(hosts.rows[0]?.['value'] as object).toSorted(), [
      'total_active',
      'total_up'
    ])
    for (const path of [
      '/api/v1/integration/webhooks/configuration/webhooks/x',
      '/api/v2/api_keys',
      '/api/v1/hosts/../api_key',
      '/api/v1/monitor/%2e%2e',
      '/api/v1/monitor/a%2fb'
    ])
      await assert.rejects(ask('datadog_get', { path }), { code: 'datadog-invalid' }, path)
    await assert.rejects(ask('datadog_get', { path: '/api/v1/user?x' }), { code: 'invalid-input' })
  })
})

test('the tools over what this server holds', async t => {
  const { app, simulator, ask } = await simulatedTools(t)

  await t.test('an analysis is started, read and found again', async () => {
    const { rows } = await ask('get_triggered_monitors', {})
    const started = await ask('start_analysis', { monitor_id: rows[0]?.['id'] })
    const id = started.rows[0]?.['analysis_id']
    const waiting = await ask('get_analysis', { analysis_id: id })
    assert.match(waiting.note ?? '', /no report yet/)
    await app.drain()
    const { rows: done } = await ask('get_analysis', { analysis_id: id })
    assert.deepEqual([done[0]?.['status'], done[0]?.['component']], ['done', 'checkout-api'])
    assert.equal(
      simulator.journal().filter(one => one.method === 'POST' && one.path.endsWith('/notebooks'))
        .length,
      0
    )
    const again = await ask('start_analysis', { monitor_id: rows[0]?.['id'] })
    await app.drain()
    const like = { analysis_id: again.rows[0]?.['analysis_id'] }
    const similar = await ask('find_similar_incidents', like)
    assert.equal(similar.rows[0]?.['analysis_id'], id)
    assert.match(
      (await ask('find_similar_incidents', { words: 'zebra' })).note ?? '',
      /near enough/
    )
    await assert.rejects(ask('find_similar_incidents', {}), /words or error_lines/)
    await assert.rejects(ask('get_analysis', { analysis_id: randomUUID() }), {
      code: 'analysis-not-found'
    })
  })

  await t.test('sessions of applications', async () => {
    assert.match((await ask('find_sessions', {})).note ?? '', /no session is like this/)
    const id = randomUUID()
    const session = { id, product: 'kiosk', version: '1.2', hostname: 'till-7' }
    await app.call('POST', '/v1/datacat/sessions', session)
    await app.call('POST', `/v1/datacat/sessions/${id}/batch`, {
      events: Array.from({ length: 60 }, (_, n) => ({ name: `step ${n}`, level: 'info' })),
      states: [{ state: { screen: 'pay' } }]
    })
    const found = await ask('find_sessions', { product: 'kiosk' })
    assert.deepEqual([found.rows[0]?.['id'], found.total], [id, 1])
    const { rows, note, truncated } = await ask('get_session', { session_id: id, limit: 10 })
    const events = rows.filter(row => row['kind'] === 'event').map(row => row['name'])
    assert.deepEqual([events.length, events.at(-1), truncated], [10, 'step 59', true])
    assert.match(note ?? '', /the newest 10 of 60 events/)
    assert.ok(rows.some(row => row['name'] === 'state' && row['text'] === '{"screen":"pay"}'))
    await assert.rejects(ask('get_session', { session_id: randomUUID() }), {
      code: 'session-not-found'
    })
  })
})
