import assert from 'node:assert/strict'
import test from 'node:test'
import { openDatabase } from '../../../core/db/database.ts'
import { migrate } from '../../../core/db/migrate.ts'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'
import { events as firstTables } from '../migrations/0001_events.ts'
import webhooks from '../plugin.ts'
import { post } from './senders.ts'

interface Listed {
  readonly events: {
    readonly id: number
    readonly duplicates: number
    readonly account_name?: string
    readonly payload: Record<string, unknown>
    readonly alert: Record<string, unknown>
  }[]
  readonly total_count: number
  readonly next_cursor: string | null
}

const datadog = {
  account: async (name: string) => ({ name }),
  accountOfOrg: async () => undefined,
  list: async () => [{ name: 'main', isDefault: true }]
}

test('events are found by monitor, status, account, service and time, together and page by page', async t => {
  const app = await createTestApp(t, { plugins: [webhooks], fakes: [[DatadogToken, datadog]] })
  const send = async (body: object, path = ''): Promise<number> =>
    (await post(app.call, body, `/v1/webhooks/receive${path}`)).id
  const find = async (query: string): Promise<number[]> => {
    const { status, body } = await app.call('GET', `/v1/webhooks/events?${query}`)
    assert.equal(status, 200, query)
    const listed = body as Listed
    assert.equal(listed.total_count, listed.events.length, query)
    return listed.events.map(event => event.id).toReversed()
  }
  const started = new Date().toISOString()
  const a = await send({ monitor_id: 1, alert_status: 'Alert', service: 'api', n: 1 })
  const b = await send({ alert: { id: 1, transition: 'Recovered' }, tags: 'service:api', n: 2 })
  const c = await send({ monitor_id: 2, alert_status: 'Warn', service: 'pay', n: 3 }, '/eu')
  const d = await send({ title: '[No Data on {service:pay,host:w}] Queue', n: 4 }, '/eu')
  const later = new Date().toISOString()
  const e = await send({ monitor_id: 2, alert_transition: 'Escalated', n: 5 })
  for (const [query, ids] of [
    ['monitor=1', [a, b]],
    ['monitor_id=2', [c, e]],
    ['monitor=3', []],
    ['status=alert', [a]],
    ['status=Recovered', [b]],
    ['status=OK', [b]],
    ['status=No%20Data', [d]],
    ['status=Escalated', [e]],
    ['account=eu', [c, d]],
    ['account=main', [a, b, e]],
    ['service=api', [a, b]],
    ['service=pay', [c, d]],
    ['service=pay&status=warn&account=eu&monitor=2', [c]],
    ['service=pay&status=alert', []],
    [`from=${started}&to=${later}`, [a, b, c, d]],
    [`from=${later}`, [e]],
    [`to=${started}`, []],
    [`from=${Math.floor(Date.parse(started) / 1000)}`, [a, b, c, d, e]]
  ] as const)
    assert.deepEqual(await find(query), ids, query)
  const page = (await app.call('GET', '/v1/webhooks/events?service=pay&per_page=1')).body as Listed
  assert.deepEqual([page.events[0]?.id, page.total_count], [d, 2])
  const next = (
    await app.call('GET', `/v1/webhooks/events?service=pay&per_page=1&cursor=${page.next_cursor}`)
  ).body as Listed
  assert.deepEqual([next.events[0]?.id, next.total_count], [c, 2])
  for (const query of ['from=yesterday', 'to=x', 'monitor=', 'status=%00', 'sevice=api']) {
    const { status, body } = await app.call('GET', `/v1/webhooks/events?${query}`)
    assert.equal(status, 400, query)
    assert.match((body as { error: string }).error, /\/query\//)
  }
})

test('the bytes are given back as they came, and never as a page', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  const bodies: [string | Buffer, Record<string, string>][] = [
    ['<script>alert(1)</script>', { 'content-type': 'text/html' }],
    [Buffer.from([0, 255, 254, 10, 13]), { 'content-type': 'application/octet-stream' }],
    ['', {}],
    ['x'.repeat(1_048_576), {}]
  ]
  for (const [body, headers] of bodies) {
    const { id } = await post(app.call, { body, headers })
    const answer = await fetch(`${app.url}/v1/webhooks/events/${id}/raw`)
    assert.equal(answer.status, 200)
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(body)))
    assert.equal(answer.headers.get('content-type'), 'application/octet-stream')
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment/)
  }
  for (const [path, status] of [
    ['999999/raw', 404],
    ['0/raw', 400],
    ['x/raw', 400],
    ['1/raw?delivery=0', 400],
    ['1/raw?delivery=2', 404]
  ] as const)
    assert.equal((await fetch(`${app.url}/v1/webhooks/events/${path}`)).status, status, path)
})

test('rows of the first version are carried over', async t => {
  const connection = await createTestDatabase(t)
  const db = openDatabase(connection)
  await migrate(db, [{ id: 'webhooks', migrations: [firstTables] }])
  const raw = Buffer.from('{"monitor_id":7,"alert_status":"Alert","service":"api"}')
  const alert = { status: 'alert', monitor_id: '7', service: 'api', firing: true }
  await db('webhooks_events').insert([
    {
      dedupe_key: '0123456789abcdef0123456789abcdef',
      account: 'main',
      received_at: new Date('2025-10-01T00:00:00Z'),
      raw,
      headers: JSON.stringify({ 'content-type': 'text/plain', 'content-length': '55' }),
      fields: '{}',
      alert: JSON.stringify(alert),
      duplicates: 3
    },
    {
      dedupe_key: '0123456789abcdef0123456789abcdee',
      received_at: new Date('2025-10-02T00:00:00Z'),
      raw: Buffer.from('gone'),
      headers: '{}',
      fields: '{}',
      alert: JSON.stringify({ status: 'unknown', monitor_id: null, service: null })
    }
  ])
  await db.destroy()
  const app = await createTestApp(t, { plugins: [webhooks], connection })
  const { events } = (await app.call('GET', '/v1/webhooks/events')).body as Listed
  assert.deepEqual(
    events.map(event => [
      event.id,
      event.duplicates,
      event.account_name,
      event.alert['monitor_id']
    ]),
    [
      [2, 0, undefined, null],
      [1, 3, 'main', '7']
    ]
  )
  assert.equal(await (await fetch(`${app.url}/v1/webhooks/events/1/raw`)).text(), raw.toString())
  assert.deepEqual(
    (
      (await app.call('GET', '/v1/webhooks/events?monitor=7&service=api&status=alert'))
        .body as Listed
    ).events.length,
    1
  )
  assert.deepEqual(await post(app.call, { monitor_id: 8 }), { status: 202, id: 3 })
})
