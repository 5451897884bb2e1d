import assert from 'node:assert/strict'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { definePlugin, type PluginApp } from '../../../core/index.ts'
import { createTestApp } from '../../../core/testing.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'
import { AlertReceived } from '../contract.ts'
import webhooks from '../plugin.ts'

interface Wire {
  event_id: number
  status: string
  duplicate_of?: number
  account_name?: string
  error?: string
  events: { id: number }[]
  total_count: number
  next_cursor: string | null
  payload: Record<string, unknown>
  duplicates: number
  alert: Record<string, unknown>
}

/** Remembers what subscribers are told. */
const listener = (seen: AlertReceived[]) =>
  definePlugin({
    id: 'listener',
    version: '1.0.0',
    register(app: PluginApp<unknown>) {
      app.on(AlertReceived, async alert => {
        seen.push(alert)
      })
    }
  })
const account = (name: string) => ({ name, site: 'datadoghq.com', simulated: false })
const datadog = {
  account: async (name?: string) => {
    if (name === 'eu' || name === 'main' || name === undefined) return account(name ?? 'main')
    throw Object.assign(
      new (await import('../../../core/index.ts')).RayneError({
        code: 'account-not-found',
        status: 404,
        message: `account not found: ${name}`
      })
    )
  },
  accountOfOrg: async (orgId: string) => (orgId === '42' ? account('eu') : undefined),
  list: async () => [
    { ...account('main'), isDefault: true },
    { ...account('eu'), isDefault: false }
  ]
}
const alert = (extra: object = {}) => ({
  monitor_id: 7,
  monitor_name: 'High CPU',
  alert_status: 'Alert',
  alert_cycle_key: 'c1',
  alert_transition: 'Triggered',
  ...extra
})

test('an acknowledged webhook is stored as it came and told to subscribers once', async t => {
  const seen: AlertReceived[] = []
  const app = await createTestApp(t, { plugins: [webhooks, listener(seen)] })
  const raw = JSON.stringify(alert({ monitor_id: '9007199254740993', extra: 'kept' }))
  const { status, body } = await app.call('POST', '/v1/webhooks/receive', raw, {
    'x-rayne-token': 'not-to-be-stored-anywhere',
    authorization: 'Bearer not-to-be-stored-anywhere'
  })
  const { event_id } = body as Wire
  assert.equal(status, 202)
  assert.deepEqual(body, {
    event_id,
    status: 'accepted',
    message: 'Webhook received and queued for processing'
  })
  const stored = await app.db('webhooks_bodies').where({ event_id }).first()
  assert.equal(stored.raw.toString(), raw)
  const row = await app.db('webhooks_events').where({ id: event_id }).first()
  assert.doesNotMatch(JSON.stringify([row, stored]), /not-to-be-stored/)
  await app.drain()
  assert.deepEqual(
    seen.map(event => [event.event_id, event.alert.monitor_id]),
    [[event_id, '9007199254740993']]
  )
  const read = (await app.call('GET', `/v1/webhooks/events/${event_id}`)).body as Wire
  assert.equal(read.payload['monitor_id'], '9007199254740993')
  assert.equal(read.status, 'processed')
})

test('the same webhook again answers 200 with duplicate_of and starts nothing, in a row and side by side', async t => {
  const seen: AlertReceived[] = []
  const app = await createTestApp(t, { plugins: [webhooks, listener(seen)] })
  const first = (await app.call('POST', '/v1/webhooks/receive', alert())).body as Wire
  for (let i = 0; i < 9; i++) {
    const { status, body } = await app.call('POST', '/v1/webhooks/receive', alert())
    assert.deepEqual([status, (body as Wire).duplicate_of], [200, first.event_id])
  }
  const parallel = await Promise.all(
    Array.from({ length: 32 }, () =>
      app.call('POST', '/v1/webhooks/receive', alert({ alert_cycle_key: 'c2' }))
    )
  )
  assert.equal(parallel.filter(answer => answer.status === 202).length, 1)
  assert.equal(parallel.filter(answer => answer.status === 200).length, 31)
  assert.equal(new Set(parallel.map(answer => (answer.body as Wire).event_id)).size, 1)
  await app.drain()
  assert.equal(seen.length, 2)
  assert.equal(
    ((await app.call('GET', `/v1/webhooks/events/${first.event_id}`)).body as Wire).duplicates,
    9
  )
})

test('many different webhooks side by side each get their own event', async t => {
  const seen: AlertReceived[] = []
  const app = await createTestApp(t, { plugins: [webhooks, listener(seen)] })
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, n) =>
      app.call('POST', '/v1/webhooks/receive', alert({ alert_cycle_key: `many-${n}` }))
    )
  )
  assert.ok(answers.every(answer => answer.status === 202))
  assert.equal(new Set(answers.map(answer => (answer.body as Wire).event_id)).size, 300)
  const bodies = await app.db('webhooks_bodies').select('event_id', 'raw')
  assert.ok(
    answers.every((answer, n) => {
      const row = bodies.find(({ event_id }) => Number(event_id) === (answer.body as Wire).event_id)
      return JSON.parse(String(row?.raw)).alert_cycle_key === `many-${n}`
    })
  )
  await app.drain()
  assert.equal(seen.length, 300)
})

test('no shape is refused: broken JSON, text, nothing, form, gzip, arrays', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  const bodies: [string | Uint8Array, Record<string, string>][] = [
    ['{"monitor_id": 1, "alert_status": "Alert",}', {}],
    ['not json at all', { 'content-type': 'text/plain' }],
    ['', {}],
    ['[1,2]', {}],
    ['null', {}],
    ['{"__proto__": {"x": 1}, "monitor_id": 3}', {}],
    ['payload=%7B%22monitor_id%22%3A5%7D', { 'content-type': 'application/x-www-form-urlencoded' }],
    [gzipSync('{"monitor_id": 6}'), { 'content-encoding': 'gzip' }],
    [Buffer.from([0xff, 0xfe, 0, 1, 2]), { 'content-type': 'application/octet-stream' }],
    ['{"a":'.repeat(5000), {}]
  ]
  for (const [body, headers] of bodies) {
    const answer = await app.call('POST', '/v1/webhooks/receive', body, headers)
    assert.equal(answer.status, 202, `${String(body).slice(0, 40)}: ${JSON.stringify(answer.body)}`)
    assert.equal(
      (await app.call('GET', `/v1/webhooks/events/${(answer.body as Wire).event_id}`)).status,
      200
    )
  }
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('1 MB is taken and one byte more is refused with 413', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  const fill = (size: number): string => `{"alert_message":"${'a'.repeat(size - 20)}"}`
  assert.equal(fill(1_048_576).length, 1_048_576)
  assert.equal((await app.call('POST', '/v1/webhooks/receive', fill(1_048_576))).status, 202)
  const { status, body } = await app.call('POST', '/v1/webhooks/receive', fill(1_048_577))
  assert.equal(status, 413)
  assert.match((body as Wire).error ?? '', /larger/)
})

test('accounts: by path, by organisation, by default; an unknown path name is 404 and stores nothing', async t => {
  const app = await createTestApp(t, {
    plugins: [{ ...webhooks }],
    fakes: [[DatadogToken, datadog]]
  })
  const post = async (path: string, extra: object) =>
    await app.call('POST', `/v1/webhooks/receive${path}`, alert(extra))
  assert.equal(((await post('/eu', { alert_cycle_key: 'a' })).body as Wire).account_name, 'eu')
  assert.equal(
    ((await post('', { alert_cycle_key: 'b', org_id: 42 })).body as Wire).account_name,
    'eu'
  )
  assert.equal(
    ((await post('', { alert_cycle_key: 'c', org_id: 7 })).body as Wire).account_name,
    'main'
  )
  const unknown = await post('/nowhere', { alert_cycle_key: 'd' })
  assert.equal(unknown.status, 404)
  assert.match((unknown.body as Wire).error ?? '', /nowhere/)
  assert.equal(((await app.call('GET', '/v1/webhooks/events')).body as Wire).total_count, 3)
})

test('events are listed newest first, by page and by cursor; bad paging is 400 and names the field', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  for (let n = 0; n < 5; n++)
    await app.call('POST', '/v1/webhooks/receive', alert({ alert_cycle_key: `p${n}` }))
  const list = async (query: string) =>
    (await app.call('GET', `/v1/webhooks/events${query}`)).body as Wire
  const all = await list('')
  assert.deepEqual([all.events.length, all.total_count, all.next_cursor], [5, 5, null])
  const ids = all.events.map(event => event.id)
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => b - a)
  )
  assert.deepEqual(
    (await list('?page=2&per_page=2')).events.map(event => event.id),
    ids.slice(2, 4)
  )
  const cursor = (await list('?per_page=2')).next_cursor
  assert.deepEqual(
    (await list(`?per_page=2&cursor=${cursor}`)).events.map(event => event.id),
    ids.slice(2, 4)
  )
  for (const query of ['?page=0', '?per_page=101', '?per_page=x', '?cursor=abc', '?pages=1']) {
    const { status, body } = await app.call('GET', `/v1/webhooks/events${query}`)
    assert.equal(status, 400, query)
    assert.match((body as Wire).error ?? '', /\/query\//)
  }
  assert.equal((await app.call('GET', '/v1/webhooks/events/999')).status, 404)
  assert.equal((await app.call('GET', '/v1/webhooks/events/0')).status, 400)
})

test('a protected server takes webhooks with an ingest secret only', async t => {
  const app = await createTestApp(t, {
    plugins: [webhooks],
    env: {
      RAYNE_AUTH: 'required',
      RAYNE_INGEST_SECRETS: 'first-ingest-secret-1,second-ingest-secret-2'
    }
  })
  const post = async (headers: Record<string, string>) =>
    (await app.call('POST', '/v1/webhooks/receive', alert(), headers)).status
  assert.equal(await post({}), 401)
  assert.equal(await post({ 'x-rayne-token': 'first-ingest-secret-' }), 401)
  assert.equal(await post({ 'x-rayne-token': 'first-ingest-secret-1' }), 202)
  assert.equal(await post({ authorization: 'Bearer second-ingest-secret-2' }), 200)
  assert.equal(
    await post({
      authorization: `Basic ${Buffer.from('datadog:second-ingest-secret-2').toString('base64')}`
    }),
    200
  )
  assert.equal(
    (await app.call('POST', '/v1/webhooks/receive?token=first-ingest-secret-1', alert())).status,
    401
  )
  assert.equal(
    (
      await app.call('GET', '/v1/webhooks/events', undefined, {
        'x-rayne-token': 'first-ingest-secret-1'
      })
    ).status,
    403
  )
})

test('a webhook whose event cannot be told is not acknowledged and leaves nothing', async t => {
  const app = await createTestApp(t, { plugins: [webhooks, listener([])] })
  await app.db.raw('alter table jobs.job_common rename to job_gone')
  assert.equal((await app.call('POST', '/v1/webhooks/receive', alert())).status, 500)
  await app.db.raw('alter table jobs.job_gone rename to job_common')
  assert.equal(((await app.call('GET', '/v1/webhooks/events')).body as Wire).total_count, 0)
  assert.equal((await app.call('POST', '/v1/webhooks/receive', alert())).status, 202)
})
