import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import type { EventAnswer, OldSessionAnswer, SessionAnswer } from './answers.ts'

const shared = suiteApp({ plugins: [datacat] })
const api = '/v1/datacat/sessions'
const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  shared.call('POST', path, body, headers)
const get = async <T>(path: string): Promise<T> => {
  const { body }: { body: unknown } = await shared.call('GET', path)
  return body as T
}
const detail = (id: string): Promise<SessionAnswer> => get(`${api}/${id}`)
const whole = (id: string): Promise<OldSessionAnswer> => get(`/api/sessions/${id}`)
const open = async (body: object = {}): Promise<string> =>
  (await post(api, body)).body['session_id'] as string
const pointerOf = (answer: { body: Record<string, unknown> }): unknown =>
  (answer.body['errors'] as { pointer: string }[] | undefined)?.[0]?.pointer

describe('opening', () => {
  test('an id of the client makes it repeatable, also at the same moment', async () => {
    const id = randomUUID()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        post(api, {
          id,
          product: 'editor',
          version: '1.2',
          machine_id: 'm1',
          hostname: 'h1',
          started_at: '2026-01-02T03:04:05.678+01:00',
          state: { a: { b: 1 } }
        })
      )
    )
    assert.deepEqual(
      answers.map(answer => answer.status).sort(),
      [200, 200, 200, 200, 200, 200, 200, 201]
    )
    const session = await detail(id)
    assert.deepEqual(
      [
        session.product,
        session.version,
        session.machine_id,
        session.hostname,
        session.created_at,
        session.state,
        session.state_count,
        session.status
      ],
      ['editor', '1.2', 'm1', 'h1', '2026-01-02T02:04:05.678Z', { a: { b: 1 } }, 1, 'active']
    )
  })

  test('bad fields are named', async () => {
    for (const [body, pointer] of [
      [{ id: 'x' }, '/body/id'],
      [{ product: 1 }, '/body/product'],
      [{ nope: 1 }, '/body/nope'],
      [{ started_at: 'yesterday' }, '/body/started_at'],
      [{ started_at: '2026-02-30T00:00:00Z' }, '/body/started_at'],
      [{ started_at: 1e17 }, '/body/started_at'],
      [{ state: [] }, '/body/state'],
      [{ heartbeat: { hung_after_seconds: 0 } }, '/body/heartbeat/hung_after_seconds']
    ] as const) {
      const answer = await post(api, body)
      assert.deepEqual([answer.status, pointerOf(answer)], [400, pointer])
    }
  })
})

describe('a batch', () => {
  const now = Date.now()
  const full = {
    key: 'one',
    states: [
      { state: { phase: 'start' }, timestamp: now - 3_000 },
      { state: { phase: 'run', __proto: 1 } }
    ],
    events: [
      {
        name: 'boom',
        data: { a: 1 },
        timestamp: new Date(now - 2_000).toISOString(),
        level: 'error',
        message: 'it broke',
        group: 'g',
        labels: ['l'],
        exception: {
          type: 'TypeError',
          message: 'no',
          stacktrace: ['at a', 'at b'],
          file: 'a.ts',
          line: 3,
          function: 'f'
        }
      },
      { name: 'plain' }
    ],
    metrics: [
      { name: 'cpu', value: 1.5, tags: ['x'], timestamp: now - 1_000 },
      { name: 'took', value: 0.25, type: 'timer', count: 4 },
      {
        name: 'size',
        value: 3,
        type: 'histogram',
        unit: 'byte',
        count: 2,
        metadata: {
          sum: 6,
          buckets: [
            { le: 5, count: 2 },
            { le: null, count: 0 }
          ]
        }
      },
      { name: 'hits', value: 2, type: 'counter' }
    ]
  }

  test("is stored with the client's own times, once a key", async () => {
    const id = await open()
    assert.deepEqual((await post(`${api}/${id}/batch`, full)).body, {
      status: 'ok',
      accepted: 8,
      duplicate: false
    })
    assert.deepEqual((await post(`${api}/${id}/batch`, full)).body, {
      status: 'ok',
      accepted: 0,
      duplicate: true
    })
    const other = await open()
    assert.deepEqual(
      (
        await post(
          `${api}/${other}/batch`,
          { metrics: [{ name: 'a', value: 1 }] },
          { 'idempotency-key': 'one' }
        )
      ).body,
      { status: 'ok', accepted: 1, duplicate: false }
    )
    const { events } = await get<{ events: EventAnswer[] }>(`${api}/${id}/events`)
    assert.deepEqual(
      events.map(({ n, received_at: _, timestamp, ...event }) => ({
        n,
        ...event,
        ...(n === 0 ? { timestamp } : {})
      })),
      [
        {
          n: 0,
          name: 'boom',
          level: 'error',
          data: { a: 1 },
          message: 'it broke',
          group: 'g',
          labels: ['l'],
          exception: full.events[0]!.exception,
          timestamp: new Date(now - 2_000).toISOString()
        },
        { n: 1, name: 'plain', level: null, data: null }
      ]
    )
    const { points } = await get<{ points: { timestamp: string }[] }>(
      `${api}/${id}/points?name=size`
    )
    assert.deepEqual(
      points.map(({ timestamp: _, ...point }) => point),
      [
        {
          n: 0,
          name: 'size',
          value: 3,
          type: 'histogram',
          unit: 'byte',
          count: 2,
          metadata: full.metrics[2]!.metadata
        }
      ]
    )
    const { states } = await get<{ states: { patch: object }[] }>(`${api}/${id}/states`)
    assert.deepEqual(
      states.map(state => state.patch),
      [{ phase: 'start' }, { phase: 'run', __proto: 1 }]
    )
    assert.deepEqual(
      (await detail(id)).metrics.map(one => [one.name, one.type, one.unit, one.points]),
      [
        ['cpu', 'gauge', null, 1],
        ['hits', 'counter', null, 1],
        ['size', 'histogram', 'byte', 1],
        ['took', 'timer', 's', 1]
      ]
    )
    // The first version's answer shows none of the new fields.
    const old = await whole(id)
    assert.deepEqual(
      old.metrics.map(metric => Object.keys(metric)),
      [
        ['timestamp', 'name', 'value', 'tags'],
        ...Array.from({ length: 3 }, () => ['timestamp', 'name', 'value'])
      ]
    )
    assert.deepEqual(
      old.events.map(event => Object.keys(event)),
      Array.from({ length: 2 }, () => ['timestamp', 'name', 'data'])
    )
  })

  test('sent many times at once is stored once', async () => {
    const id = await open()
    const answers = await Promise.all(
      Array.from({ length: 30 }, () =>
        post(`${api}/${id}/batch`, {
          key: 'k',
          metrics: [{ name: 'a', value: 1 }],
          events: [{ name: 'e' }],
          states: [{ state: { n: 1 } }]
        })
      )
    )
    assert.equal(answers.filter(answer => answer.body['duplicate'] === false).length, 1)
    const { event_count, metric_count, state_count } = await detail(id)
    assert.deepEqual([event_count, metric_count, state_count], [1, 1, 1])
  })

  test('with one bad item stores nothing and names it', async () => {
    const id = await open()
    const good = { name: 'a', value: 1 }
    const cases: readonly (readonly [object, string])[] = [
      [{ metrics: [good, { name: 'a', value: 'x' }] }, '/body/metrics/1/value'],
      [{ metrics: [{ value: 1 }] }, '/body/metrics/0/name'],
      [{ metrics: [{ ...good, name: 'n'.repeat(257) }] }, '/body/metrics/0/name'],
      [{ metrics: [{ ...good, timestamp: 'now' }] }, '/body/metrics/0/timestamp'],
      [{ events: [{ name: 'e', timestamp: -1e300 }] }, '/body/events/0/timestamp'],
      [{ metrics: [{ ...good, type: 'odd' }] }, '/body/metrics/0/type'],
      [{ metrics: [good], events: [{ name: 'e', data: [] }] }, '/body/events/0/data'],
      [{ events: [{ name: 'e', level: 'loud' }] }, '/body/events/0/level'],
      [{ states: [{ state: null }] }, '/body/states/0/state'],
      [{ metrics: [good], what: 1 }, '/body/what'],
      [{ key: '' }, '/body/key'],
      [{ metrics: [{ ...good, name: 'a\u0000' }] }, '/body/metrics/0/name'],
      [{ metrics: [{ ...good, tags: [1] }] }, '/body/metrics/0/tags/0'],
      [
        {
          metrics: Array.from({ length: 600 }, () => good),
          events: Array.from({ length: 401 }, () => ({ name: 'e' }))
        },
        '/body'
      ],
      [{ metrics: Array.from({ length: 1_001 }, () => good) }, '/body/metrics']
    ]
    for (const [body, pointer] of cases) {
      const answer = await post(`${api}/${id}/batch`, body)
      assert.deepEqual([answer.status, pointerOf(answer)], [400, pointer])
    }
    assert.equal(
      (await post(`${api}/${id}/batch`, '{"metrics":[{"name":"a","value":1e999}]}')).status,
      400
    )
    assert.equal((await post(`${api}/${id}/batch`, '{"metrics":')).status, 400)
    assert.equal(
      (
        await post(
          `${api}/${id}/batch`,
          { metrics: [good] },
          { 'idempotency-key': 'k'.repeat(129) }
        )
      ).status,
      400
    )
    assert.equal(
      (
        await post(
          `${api}/${id}/batch`,
          `{"events":[{"name":"e","data":${'{"a":'.repeat(101)}1${'}'.repeat(102)}]}`
        )
      ).status,
      400
    )
    assert.equal(
      (
        await post(`${api}/${id}/batch`, {
          events: [{ name: 'e', data: { x: 'x'.repeat(1_048_576) } }]
        })
      ).status,
      413
    )
    const { event_count, metric_count, state_count } = await detail(id)
    assert.deepEqual([event_count, metric_count, state_count], [0, 0, 0])
  })

  test('may be empty, zipped, for an unknown session, and end one', async () => {
    const id = await open()
    assert.deepEqual((await post(`${api}/${id}/batch`, {})).body, {
      status: 'ok',
      accepted: 0,
      duplicate: false
    })
    assert.equal(
      (
        await post(
          `${api}/${id}/batch`,
          gzipSync(JSON.stringify({ events: [{ name: 'e', data: null }], end: true })),
          { 'content-encoding': 'gzip' }
        )
      ).status,
      200
    )
    assert.deepEqual([(await detail(id)).status, (await detail(id)).event_count], ['ended', 1])
    for (const unknown of [randomUUID(), 'nope'])
      for (const path of ['batch', 'heartbeat', 'end'])
        assert.equal((await post(`${api}/${unknown}/${path}`, {})).status, 404)
    for (const path of ['', '/events', '/points?name=a', '/states', '/state'])
      assert.equal((await shared.call('GET', `${api}/${randomUUID()}${path}`)).status, 404)
    assert.equal((await shared.call('GET', `${api}/${id}/points?name=none`)).status, 404)
  })
})

test('all acknowledged is there and in order when many write at once, in two applications', async t => {
  const connection = await createTestDatabase(t)
  const [first, second] = [
    await createTestApp(t, { plugins: [datacat], connection }),
    await createTestApp(t, { plugins: [datacat], connection })
  ]
  const ids = await Promise.all(
    Array.from(
      { length: 5 },
      async () => ((await first.call('POST', api, {})).body as { session_id: string }).session_id
    )
  )
  const urls = [first.url, second.url]
  await Promise.all(
    Array.from({ length: 10 }, async (_, writer) => {
      for (let n = 0; n < 40; n++) {
        const id = ids[(writer + n) % ids.length]!
        const value = writer * 1_000 + n
        const body =
          n % 4 === 0
            ? {
                key: `${value}`,
                metrics: Array.from({ length: 30 }, () => ({ name: `m${writer}`, value })),
                events: [{ name: String(value) }],
                states: [{ state: { [`w${writer}`]: n } }]
              }
            : n % 4 === 1
              ? { states: [{ state: { [`w${writer}`]: n } }] }
              : { metrics: [{ name: 'shared', value }], events: [{ name: String(value) }] }
        const answer = await fetch(`${urls[n % 2]}${api}/${id}/batch`, {
          method: 'POST',
          body: JSON.stringify(body)
        })
        assert.equal(answer.status, 200)
        // Read-your-write, at the other application too.
        if (n % 8 === 0) {
          const session = (await (
            await fetch(`${urls[(n + 1) % 2]}/api/sessions/${id}`)
          ).json()) as { events: { name: string }[]; state: Record<string, number> }
          assert.ok(session.events.some(event => event.name === String(value)))
          assert.equal(session.state[`w${writer}`], n)
        }
      }
    })
  )
  const sessions = await Promise.all(
    ids.map(async id => {
      const { status, body } = await first.call('GET', `/api/sessions/${id}`)
      assert.equal(status, 200, JSON.stringify(body))
      return body as OldSessionAnswer
    })
  )
  assert.equal(
    sessions.reduce((sum, one) => sum + one.metrics.length, 0),
    10 * (10 * 30 + 20)
  )
  assert.equal(
    sessions.reduce((sum, one) => sum + one.events.length, 0),
    10 * 30
  )
  for (const { events, metrics } of sessions)
    for (let writer = 0; writer < 10; writer++) {
      const own = (values: number[]): number[] =>
        values.filter(value => Math.floor(value / 1_000) === writer)
      for (const values of [
        own(events.map(event => Number(event.name))),
        own(metrics.map(metric => metric.value))
      ])
        assert.deepEqual(
          values,
          [...values].sort((a, b) => a - b)
        )
    }
})

test('a session that is deleted and opened again under its id starts anew, and keeps what it gets', async () => {
  const id = await open()
  for (let round = 0; round < 3; round++) {
    for (const key of [undefined, `k${round}`])
      assert.equal(
        (
          await post(`${api}/${id}/batch`, {
            metrics: [{ name: 'a', value: round }],
            ...(key ? { key } : {})
          })
        ).status,
        200
      )
    assert.deepEqual(
      (await whole(id)).metrics.map(metric => metric.value),
      [round, round]
    )
    assert.equal((await shared.call('DELETE', `${api}/${id}`)).status, 200)
    if (round === 0) await shared.app.drain()
    assert.equal(
      (await post(`${api}/${id}/batch`, { metrics: [{ name: 'a', value: 9 }] })).status,
      404
    )
    assert.equal((await post(api, { id })).status, 201)
  }
})

test("what a wrong clock says is kept beside the server's time, and nothing is lost", async () => {
  const wrong = [0, 100, Date.now() + 2 * 86_400_000, '1970-01-01T00:01:40Z', 8.64e15]
  for (const timestamp of wrong) {
    const said = new Date(timestamp).toISOString()
    const before = Date.now()
    const opened = await post(api, { product: 'p', started_at: timestamp, state: { n: 0 } })
    assert.equal(opened.status, 201)
    const id = String(opened.body['session_id'])
    const items = {
      states: [{ state: { n: 1 }, timestamp }],
      events: [{ name: 'e', timestamp }, { name: 'right' }],
      metrics: [
        { name: 'plain', value: 1, timestamp },
        { name: 'rich', value: 2, type: 'timer', timestamp }
      ]
    }
    const { body } = await post(`${api}/${id}/batch`, items)
    assert.deepEqual(body, { status: 'ok', accepted: 5, duplicate: false })
    const at = async (path: string, list: string, n = 0): Promise<unknown> => {
      const answer = await get<Record<string, { timestamp: string; client_timestamp?: string }[]>>(
        `${api}/${id}${path}`
      )
      const one = answer[list]?.[n]
      const ms = Date.parse(String(one?.timestamp))
      assert.ok(ms >= before && ms <= Date.now(), `${path}: ${one?.timestamp}`)
      return one?.client_timestamp
    }
    assert.deepEqual(
      [
        await at('/states?after=1', 'states'),
        await at('/events', 'events'),
        await at('/events', 'events', 1),
        await at('/points?name=plain', 'points'),
        await at('/points?name=rich', 'points')
      ],
      [said, said, undefined, said, said]
    )
    const session = await detail(id)
    assert.equal(session.client_timestamp, said)
    assert.ok(Date.parse(session.created_at) >= before)
    const old = await whole(id)
    assert.deepEqual(Object.keys(old.events[0] ?? {}), ['timestamp', 'name', 'data'])
  }
})
