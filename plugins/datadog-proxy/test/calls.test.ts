import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epochMs } from '../../../core/index.ts'
import { createCheck } from '../service/check-accounts.ts'
import type { DatadogError } from '../contract.ts'
import { createDatadogService } from '../service/datadog.ts'
import { fakeDatadog, json, keys, quiet, window } from './loopback.ts'

test('the last bucket of a metric is dropped when it reaches beyond the window', async t => {
  const start = window.from
  const pointlist = [
    [start + 600_000, 3],
    [start, 1],
    [start + 300_000, null],
    [start + 3_300_000, 4],
    [start + 3_600_000, 0.1]
  ]
  const { account, seen } = await fakeDatadog(t, response =>
    json(response, {
      status: 'ok',
      series: [{ metric: 'm', scope: 'host:a', interval: 300, pointlist }]
    })
  )
  const { rows } = await account.metric({ query: 'avg:m{*} by {host}', window })
  assert.deepEqual(rows[0]?.points, [
    { at: start, value: 1 },
    { at: start + 300_000, value: null },
    { at: start + 600_000, value: 3 },
    { at: start + 3_300_000, value: 4 }
  ])
  const query = new URL(seen[0]!.url, 'http://x').searchParams
  assert.deepEqual(
    [query.get('from'), query.get('to')],
    [String(window.from / 1000), String(window.to / 1000)]
  )
})

test('status error in a 200 of a metric query is an error', async t => {
  const { account } = await fakeDatadog(t, response =>
    json(response, { status: 'error', error: 'Error parsing query: unable to parse x', series: [] })
  )
  await assert.rejects(
    account.metric({ query: 'x', window }),
    (error: DatadogError) =>
      error.failure === 'invalid' && error.message.includes('unable to parse x')
  )
})

test('unknown words of a monitor are kept and a missing field does not lose it', async t => {
  const { account } = await fakeDatadog(t, response =>
    json(response, {
      id: 5,
      query: 'q',
      type: 'quantum alert',
      overall_state: 'Superposed',
      options: { thresholds: { critical: 2, warning: null } },
      tags: null,
      priority: 3,
      created_at: 1684790119000,
      extra: {}
    })
  )
  assert.deepEqual(await account.monitor('5'), {
    id: '5',
    query: 'q',
    name: '',
    type: 'quantum alert',
    message: '',
    tags: [],
    state: 'Superposed',
    thresholds: { critical: 2 },
    priority: 3,
    createdAt: epochMs(1684790119000)
  })
})

test('a monitor id that is not digits is refused before anything is sent', async t => {
  const { account, seen } = await fakeDatadog(t, response => json(response, {}))
  for (const id of ['', '../validate', '1?x', '-1', '1e5', '$ALERT_ID'])
    await assert.rejects(account.monitor(id), (error: DatadogError) => error.failure === 'invalid')
  assert.equal(seen.length, 0)
})

test('integers beyond 2^53 keep all their digits', async t => {
  const body =
    '{"data":[{"id":6327818702635911562,"attributes":{"timestamp":"2026-01-02T03:04:05Z",' +
    '"attributes":{"trace_id":9223372036854775807,"n":1}}}]}'
  const { account } = await fakeDatadog(t, response =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  )
  const [row] = (await account.logs({ query: '', window, limit: 1 })).rows
  assert.deepEqual(
    [row?.id, row?.attributes],
    ['6327818702635911562', { trace_id: '9223372036854775807', n: 1 }]
  )
})

test('the service of a log comes from its field, attribute or tag', async t => {
  const at = { timestamp: '2026-01-02T03:04:05.678Z' }
  const { account } = await fakeDatadog(t, response =>
    json(response, {
      data: [
        { id: '1', attributes: { ...at, service: 'a', tags: ['service:b'] } },
        { id: '2', attributes: { ...at, attributes: { service: 'c' } } },
        { id: '3', attributes: { ...at, tags: ['source:x', 'source:x', 'service:d'] } },
        { id: '4', attributes: at }
      ]
    })
  )
  const { rows } = await account.logs({ query: '', window, limit: 9 })
  assert.deepEqual(
    rows.map(row => row.service),
    ['a', 'c', 'd', undefined]
  )
  assert.deepEqual(rows[2]?.tags, ['source:x', 'service:d'])
})

test('a notebook is sent as Datadog wants it and linked in the app', async t => {
  const { account, seen } = await fakeDatadog(t, response =>
    json(response, { data: { id: 13244449, type: 'notebooks', attributes: { name: 'rca' } } })
  )
  const ref = await account.createNotebook({
    name: 'rca',
    window,
    cells: [
      { type: 'markdown', text: '# cause' },
      { type: 'timeseries', title: 'errors', query: 'sum:errors{*}' }
    ]
  })
  assert.deepEqual(ref, { id: '13244449', name: 'rca', url: 'http://app.test/notebook/13244449' })
  const { attributes } = seen[0]!.body.data
  assert.deepEqual(attributes.time, { start: '2026-01-02T03:00:00Z', end: '2026-01-02T04:00:00Z' })
  assert.deepEqual(
    attributes.cells.map((cell: any) => cell.attributes.definition),
    [
      { type: 'markdown', text: '# cause' },
      {
        type: 'timeseries',
        title: 'errors',
        show_legend: true,
        requests: [{ q: 'sum:errors{*}', display_type: 'line' }]
      }
    ]
  )
})

test('a notebook name of more than 80 characters is refused before anything is sent', async t => {
  const { account, seen } = await fakeDatadog(t, response => json(response, {}))
  await assert.rejects(
    account.createNotebook({ name: 'x'.repeat(81), cells: [], window }),
    /1 to 80 characters/
  )
  assert.equal(seen.length, 0)
})

test('a notebook is found by its literal name, the newest first', async t => {
  const notebook = (id: number, name: string, created: string) => ({
    id,
    attributes: { name, created }
  })
  const { account } = await fakeDatadog(t, response =>
    json(response, {
      data: [
        notebook(1, 'about rayne 7', '2026-01-03'),
        notebook(2, '[rayne:7] old', '2026-01-01'),
        notebook(3, '[rayne:7] new', '2026-01-02')
      ]
    })
  )
  assert.equal((await account.findNotebook('[rayne:7]'))?.id, '3')
  assert.equal(await account.findNotebook('[rayne:8]'), undefined)
})

test('validate says which key is wrong', async t => {
  let wrong = ''
  const { account } = await fakeDatadog(t, (response, { url }) => {
    const app = url.includes('/monitor')
    if ((app ? 'app' : 'api') === wrong) json(response, { errors: ['Forbidden'] }, 403)
    else json(response, app ? [] : { valid: true })
  })
  await account.validate()
  wrong = 'api'
  await assert.rejects(
    account.validate(),
    /403: Forbidden. The API key \(DD_API_KEY\) is not valid/
  )
  wrong = 'app'
  await assert.rejects(
    account.validate(),
    /403: Forbidden. The API key is valid, so it is the application key \(DD_APP_KEY\)/
  )
})

test('the check says what works, what to do, and does not ask every time', async t => {
  let status = 200
  let clock = 0
  const { url, seen } = await fakeDatadog(t, (response, one) =>
    status === 200
      ? json(response, one.url.includes('validate') ? { valid: true } : [])
      : json(response, { errors: ['Forbidden'] }, status)
  )
  const service = createDatadogService({ accounts: [], log: quiet })
  const signal = new AbortController().signal
  assert.deepEqual(await createCheck(service)(signal), {
    ok: false,
    detail: 'no Datadog account',
    fix: 'set DD_API_KEY, DD_APP_KEY and, outside US1, DD_SITE, or add an account with POST /v1/accounts'
  })
  service.add({ name: 'demo', simulated: true, baseUrl: url, appUrl: url, ...keys })
  const check = createCheck(service, () => clock)
  assert.deepEqual(await check(signal), { ok: true, detail: "account 'demo' (SIMULATED) works" })
  await check(signal)
  assert.equal(seen.length, 2)
  clock = 61_000
  status = 403
  const failed = await check(signal)
  assert.deepEqual([failed.ok, failed.fix?.includes('DD_APP_KEY')], [false, true])
})
