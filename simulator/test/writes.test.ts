import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery, SimAccount } from '../simulator.ts'
import { accountOf, call, MINUTE, startSimulator, T0 } from './client.ts'
import { receiver } from './receiver.ts'
import {
  nth,
  type MonitorItem,
  type NotebookItem,
  type NotebookList,
  type One,
  type Page,
  type WebhookItem
} from './wire.ts'

const draft = (name: string, texts: string[] = ['# hello']) => ({
  data: {
    type: 'notebooks',
    attributes: {
      name,
      cells: texts.map(text => ({
        type: 'notebook_cells',
        attributes: { definition: { type: 'markdown', text } }
      })),
      time: { live_span: '1h' }
    }
  }
})

test('notebooks: create, read, list, replace, delete, gone', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const made = await call<One<NotebookItem, number>>(
    account,
    'POST',
    '/api/v1/notebooks',
    draft('incident one')
  )
  assert.equal(made.status, 200)
  const { id } = made.body.data
  const path = `/api/v1/notebooks/${id}`
  assert.deepEqual((await call(account, 'GET', path)).body, made.body)
  await call(account, 'POST', '/api/v1/notebooks', draft('something else'))
  const listed = (await call<NotebookList>(account, 'GET', '/api/v1/notebooks?query=INCIDENT')).body
  assert.deepEqual(
    [listed.meta.page, listed.data.map(n => n.id)],
    [{ total_filtered_count: 1, total_count: 2 }, [id]]
  )
  assert.deepEqual(
    (await call<NotebookList>(account, 'GET', '/api/v1/notebooks?count=1&start=1')).body.data
      .length,
    1
  )
  assert.equal(
    nth(
      (await call<NotebookList>(account, 'GET', '/api/v1/notebooks?include_cells=false')).body.data,
      0
    ).attributes.cells,
    undefined
  )
  const replaced = (
    await call<One<NotebookItem, number>>(
      account,
      'PUT',
      path,
      draft('incident one, closed', ['# hello', 'more'])
    )
  ).body.data
  assert.deepEqual(
    [replaced.id, replaced.attributes.name, replaced.attributes.cells.length],
    [id, 'incident one, closed', 2]
  )
  assert.notEqual(
    replaced.attributes.cells[0]?.id,
    made.body.data.attributes.cells[0]?.id,
    'a PUT gives cells new ids'
  )
  assert.equal((await call(accountOf(simulator, 'eu'), 'GET', path)).status, 404)
  const deleted = await call(account, 'DELETE', path)
  assert.deepEqual(
    [deleted.status, deleted.text, deleted.headers.get('content-type')],
    [204, '', null]
  )
  for (const method of ['GET', 'DELETE'])
    assert.deepEqual(
      [(await call(account, method, path)).status, (await call(account, method, path)).text],
      [404, '{"errors":["Notebook not found"]}']
    )
})

test('notebooks: what Datadog refuses is refused', async context => {
  const simulator = await startSimulator(context)
  const good = draft('x').data
  const bad = [
    undefined,
    {},
    { data: { ...good, type: 'notebook' } },
    draft('x'.repeat(81)),
    { data: { ...good, attributes: { ...good.attributes, cells: 'none' } } },
    { data: { ...good, attributes: { ...good.attributes, cells: [{ type: 'cell' }] } } },
    { data: { ...good, attributes: { ...good.attributes, time: {} } } }
  ]
  for (const body of bad)
    assert.equal(
      (await call(accountOf(simulator), 'POST', '/api/v1/notebooks', body)).status,
      400,
      JSON.stringify(body)
    )
  assert.equal(
    (await call(accountOf(simulator), 'POST', '/api/v1/notebooks', draft('x'.repeat(80)))).status,
    200
  )
})

const hooks = '/api/v1/integration/webhooks/configuration/webhooks'
test('webhooks: create, read, change, delete, gone', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const made = await call<WebhookItem>(account, 'POST', hooks, {
    name: 'rayne',
    url: 'http://127.0.0.1:9/hook'
  })
  assert.deepEqual(
    [made.status, made.body.encode_as, made.body.custom_headers],
    [201, 'json', null]
  )
  assert.match(made.body.payload, /^\{"body": "\$EVENT_MSG"/)
  assert.deepEqual(
    [
      (await call(account, 'POST', hooks, { name: 'rayne', url: 'http://127.0.0.1:9/hook' })).text,
      (await call(account, 'POST', hooks, { name: 'x' })).status
    ],
    ['{"errors":["Webhook already exists"]}', 400]
  )
  assert.deepEqual((await call(account, 'GET', `${hooks}/rayne`)).body, made.body)
  assert.equal(
    (await call<WebhookItem>(account, 'PUT', `${hooks}/rayne`, { url: 'http://127.0.0.1:9/other' }))
      .body.url,
    'http://127.0.0.1:9/other'
  )
  const deleted = await call(account, 'DELETE', `${hooks}/rayne`)
  assert.deepEqual([deleted.status, deleted.text], [200, '{}'])
  for (const method of ['GET', 'DELETE'])
    assert.deepEqual(
      (await call(account, method, `${hooks}/rayne`)).text,
      '{"errors":["Webhook does not exist"]}'
    )
})

test('the alert of the scenario is rendered without a variable left and delivered', async context => {
  const { url, received } = await receiver(context)
  const simulator = await startSimulator(context, {
    webhookTarget: { url, headers: { 'x-rayne-token': 'secret' } }
  })
  const found = await call<MonitorItem[]>(
    accountOf(simulator),
    'GET',
    '/api/v1/monitor?name=checkout'
  )
  const monitor = nth(found.body, 0)
  const delivery = await simulator.fireWebhook()
  assert.deepEqual(
    [delivery.status, delivery.body, delivery.attempts, received.length],
    [202, '{"id":1}', 1, 1]
  )
  const [{ headers, body } = { headers: {}, body: '' }] = received
  assert.equal(headers['x-rayne-token'], 'secret')
  assert.equal(body, simulator.renderWebhook())
  assert.doesNotMatch(body, /\$[A-Z]/)
  const payload = JSON.parse(body)
  assert.ok(Object.values(payload).every(value => typeof value === 'string'))
  const {
    alert_id,
    monitor_id,
    alert_transition,
    alert_title,
    alert_priority,
    alert_scope,
    alert_metric,
    service,
    env,
    org_id,
    date,
    event_type
  } = payload
  assert.deepEqual(
    {
      alert_id,
      monitor_id,
      alert_transition,
      alert_title,
      alert_priority,
      alert_scope,
      alert_metric,
      service,
      env,
      org_id,
      date,
      event_type
    },
    {
      alert_id: String(monitor.id),
      monitor_id: String(monitor.id),
      alert_transition: 'Triggered',
      alert_title: '[P1] [Triggered] checkout-api 5xx rate',
      alert_priority: 'P1',
      alert_scope: 'env:prod,service:checkout-api',
      alert_metric: 'trace.http.request.errors',
      service: 'checkout-api',
      env: 'prod',
      org_id: '321813',
      date: String(T0 + 3 * MINUTE),
      event_type: 'query_alert_monitor'
    }
  )
  assert.match(payload.alert_cycle_key, /^\d{19}$/)
  assert.equal(
    payload.event_id,
    JSON.parse((await fire(simulator.controlUrl, { transition: 'Re-Triggered' })).sent).event_id
  )
})

const fire = async (controlUrl: string, body: object): Promise<Delivery> =>
  (
    await fetch(`${controlUrl}/__sim/webhooks/fire`, { method: 'POST', body: JSON.stringify(body) })
  ).json() as Promise<Delivery>

test('a recovery carries the cycle key of its alert', async context => {
  const { url } = await receiver(context)
  const simulator = await startSimulator(context, { webhookTarget: { url } })
  const sent = async (transition: string) =>
    JSON.parse(
      (await simulator.fireWebhook({ monitor: 'orders-db replication delay', transition })).sent
    )
  const [alert, recovery] = [await sent('Triggered'), await sent('Recovered')]
  assert.equal(recovery.alert_cycle_key, alert.alert_cycle_key)
  assert.deepEqual([alert.alert_type, recovery.alert_type], ['error', 'success'])
  assert.ok(Number(alert.date) < Number(recovery.date))
  assert.notEqual(
    (await sent('Triggered')).alert_cycle_key,
    JSON.parse(simulator.renderWebhook()).alert_cycle_key
  )
})

test('a stored webhook is delivered with its own payload and headers, and 5xx is retried', async context => {
  const { url, received } = await receiver(context, [503, 500])
  const simulator = await startSimulator(context)
  await call(accountOf(simulator), 'POST', hooks, {
    name: 'own',
    url,
    payload:
      '{"id": "$ALERT_ID", "team": "$TAGS[team]", "none": "$TAGS[none]", "mine": "$MY_VAR", "tags": "$TAGS"}',
    custom_headers: '{"X-Org": "$ORG_NAME"}'
  })
  const delivery = await fire(simulator.controlUrl, { webhook: 'own' })
  assert.deepEqual([delivery.status, delivery.attempts, received.length], [202, 3, 3])
  const { id, ...rest } = JSON.parse(received[2]?.body ?? '')
  assert.match(id, /^\d+$/)
  assert.deepEqual(rest, {
    team: 'checkout',
    none: '',
    mine: '$MY_VAR',
    tags: 'env:prod, monitor, service:checkout-api, team:checkout'
  })
  assert.equal(received[2]?.headers['x-org'], 'Shop')
})

test('webhooks never leave this machine', async context => {
  const simulator = await startSimulator(context, {
    webhookTarget: { url: 'http://192.0.2.1/hook' }
  })
  await assert.rejects(simulator.fireWebhook(), /loopback addresses only/)
  for (const url of [
    'http://127.0.0.1.example.com/',
    'file:///etc/passwd',
    'http://localhost@192.0.2.1/',
    'nonsense'
  ]) {
    simulator.setTarget({ url })
    await assert.rejects(simulator.fireWebhook(), /loopback addresses only/, url)
  }
})

test("a monitor's priority is taken as a number or as its digit, and nothing else is one", async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const monitor = { type: 'query alert', query: 'avg(last_5m):avg:system.load.1{*} > 9' }
  const make = (priority: unknown) =>
    call<MonitorItem>(account, 'POST', '/api/v1/monitor', { ...monitor, priority })
  for (const [given, wanted] of [
    ['3', 3],
    [' 5 ', 5],
    [1, 1],
    [null, null],
    [undefined, null]
  ] as const)
    assert.deepEqual(
      [(await make(given)).status, (await make(given)).body.priority],
      [200, wanted],
      JSON.stringify(given)
    )
  for (const wrong of ['high', '', '6', 0, 2.5, 'P1', true, [3]]) {
    const answer = await make(wrong)
    assert.deepEqual(
      [answer.status, answer.text],
      [400, `{"errors":["The value provided for parameter 'priority' is invalid"]}`],
      JSON.stringify(wrong)
    )
  }
})

const downtime = (account: SimAccount, attributes: object) =>
  call<One<{ scope: string; status: string }>>(account, 'POST', '/api/v2/downtime', {
    data: {
      type: 'downtime',
      attributes: { monitor_identifier: { monitor_tags: ['*'] }, ...attributes }
    }
  })

test('a downtime takes groups of values, negations and quotes, and silences just those', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const { id } = nth(
    (await call<MonitorItem[]>(account, 'GET', '/api/v1/monitor?name=Host%20CPU')).body,
    0
  )
  const groupsOf = async (scope: string): Promise<string> => {
    const made = await downtime(account, { scope })
    assert.deepEqual([made.status, made.body.data.attributes.scope], [200, scope])
    const matching = await call<Page<{ groups: string[] }>>(
      account,
      'GET',
      `/api/v2/monitor/${id}/downtime_matches`
    )
    await call(account, 'DELETE', `/api/v2/downtime/${made.body.data.id}`)
    return (matching.body.data[0]?.attributes.groups ?? []).toSorted().join(' ')
  }
  assert.equal(await groupsOf('host:(web-01 OR web-03)'), 'host:web-01 host:web-03')
  assert.equal(
    await groupsOf('env:(prod OR staging) AND host:web-*'),
    'host:web-01 host:web-02 host:web-03'
  )
  assert.equal(await groupsOf('host:"db-01"'), 'host:db-01')
  assert.equal(await groupsOf('host:db-0? AND NOT host:db-02'), 'host:db-01')
  assert.equal(await groupsOf('host:kafka-01,env:prod'), 'host:kafka-01')
  assert.equal(await groupsOf('(host:web-01 OR host:db-01) AND env:prod'), 'host:db-01 host:web-01')
  assert.equal(await groupsOf('env:staging'), '')
  for (const [scope, why] of [
    ['prod', 'All values must have a key'],
    ['env:(prod OR staging) web', 'All values must have a key'],
    ['env:(prod OR', 'Invalid scope parameter'],
    ['', 'Invalid scope parameter']
  ] as const)
    assert.equal((await downtime(account, { scope })).text, `{"errors":["${why}"]}`, scope)
})

test('a downtime that starts in the past is refused by both versions, a start that stays is not', async context => {
  const simulator = await startSimulator(context, { now: () => T0 })
  const account = accountOf(simulator)
  const refused = '{"errors":["Scheduled downtime start cannot be in the past"]}'
  const at = (ms: number): { start: string } => ({ start: new Date(T0 + ms).toISOString() })
  const past = await downtime(account, { scope: 'env:prod', schedule: at(-10 * MINUTE) })
  assert.deepEqual([past.status, past.text], [400, refused])
  const older = await call(account, 'POST', '/api/v1/downtime', {
    scope: ['env:prod'],
    start: T0 / 1000 - 600
  })
  assert.deepEqual([older.status, older.text], [400, refused])
  const made = await downtime(account, { scope: 'env:prod', schedule: at(-1_000) })
  assert.equal(made.body.data.attributes.status, 'active')
  assert.equal(
    (await downtime(account, { scope: 'env:prod', schedule: at(MINUTE) })).body.data.attributes
      .status,
    'scheduled'
  )
  const change = (schedule: object) =>
    call(account, 'PATCH', `/api/v2/downtime/${made.body.data.id}`, {
      data: { type: 'downtime', id: made.body.data.id, attributes: { schedule } }
    })
  assert.equal((await change(at(-1_000))).status, 200)
  assert.equal((await change(at(-3_600_000))).text, refused)
})
