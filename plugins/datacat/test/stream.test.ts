import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import type { Connection } from '../../../core/db/database.ts'
import { eventually } from '../../../core/test/eventually.ts'
import { suiteApp } from '../../../core/test/suite-app.ts'
import { createTestApp } from '../../../core/testing.ts'
import datacat from '../plugin.ts'
import type { OldSessionAnswer } from './answers.ts'

type Line = Readonly<Record<string, unknown>>
interface App {
  readonly url: string
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
}
interface Told {
  readonly event: string
  readonly data: Line
  readonly at: number
}

const shared = suiteApp({ plugins: [datacat] })
const unknown = '00000000-0000-4000-8000-000000000000'
const start = Date.UTC(2026, 0, 1)

async function open(app: App, fields: object = {}): Promise<string> {
  const { status, body } = await app.call('POST', '/v1/datacat/sessions', fields)
  assert.equal(status, 201)
  return (body as { session_id: string }).session_id
}
async function batch(app: App, id: string, items: object): Promise<void> {
  const { status, body } = await app.call('POST', `/v1/datacat/sessions/${id}/batch`, items)
  assert.equal(status, 200, JSON.stringify(body))
}
/** The export as its records; every line must parse and the last must be whole. */
async function lines(app: App, query = ''): Promise<Line[]> {
  const answer = await fetch(`${app.url}/v1/datacat/export${query}`)
  assert.deepEqual(
    [answer.status, answer.headers.get('content-type')],
    [200, 'application/x-ndjson']
  )
  const text = await answer.text()
  assert.ok(text === '' || text.endsWith('\n'))
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Line)
}

describe('the export as JSON lines', () => {
  test("is empty when there is nothing, and the first version's is [] and a newline", async () => {
    assert.deepEqual(await lines(shared), [])
    const answer = await fetch(`${shared.url}/api/grafana/sessions`)
    assert.deepEqual(
      [await answer.text(), answer.headers.get('content-type')],
      ['[]\n', 'application/json']
    )
  })

  test('holds everything that was written, each session with its own, in the order it came', async () => {
    const [first, second] = [
      await open(shared, { product: 'editor', version: '1', hostname: 'h', state: { a: 1 } }),
      await open(shared, { product: 'viewer' })
    ]
    await batch(shared, first, {
      states: [{ state: { b: { c: [1, null, 'x'] } }, timestamp: start }, { state: { a: null } }],
      metrics: [
        { name: 'cpu', value: 1.5, tags: ['t'], timestamp: start + 1 },
        { name: 'mem', value: -0, type: 'timer', count: 3 },
        { name: 'cpu', value: 1e-7 }
      ],
      events: [
        { name: 'b', data: { line: 'one\ntwo\u2028' }, level: 'warning', timestamp: start + 2 },
        { name: 'a' }
      ]
    })
    await batch(shared, second, { metrics: [{ name: 'cpu', value: 7 }] })
    const records = await lines(shared)
    assert.deepEqual(
      records.map(one => [one['type'], one['session_id'] ?? one['id']]),
      [
        ['session', first],
        ['state', first],
        ['state', first],
        ['state', first],
        ['event', first],
        ['event', first],
        ['metric', first],
        ['metric', first],
        ['metric', first],
        ['session', second],
        ['metric', second]
      ]
    )
    const [session, , patch, , event, , cpu, mem, small] = records
    assert.deepEqual(
      [
        session?.['state'],
        session?.['product'],
        session?.['event_count'],
        session?.['metric_count'],
        session?.['state_count']
      ],
      [{ a: null, b: { c: [1, null, 'x'] } }, 'editor', 2, 3, 3]
    )
    assert.deepEqual(patch, {
      type: 'state',
      session_id: first,
      n: 2,
      timestamp: new Date(start).toISOString(),
      patch: { b: { c: [1, null, 'x'] } }
    })
    assert.deepEqual(
      [event?.['name'], event?.['level'], event?.['data'], event?.['timestamp']],
      ['b', 'warning', { line: 'one\ntwo\u2028' }, new Date(start + 2).toISOString()]
    )
    assert.deepEqual(cpu, {
      type: 'metric',
      session_id: first,
      n: 0,
      timestamp: new Date(start + 1).toISOString(),
      name: 'cpu',
      value: 1.5,
      tags: ['t']
    })
    assert.deepEqual(
      [mem?.['name'], mem?.['kind'], mem?.['count'], mem?.['unit'], small?.['value'], small?.['n']],
      ['mem', 'timer', 3, 's', 1e-7, 2]
    )
  })

  test('takes the filters of the list, and names a wrong one', async () => {
    const sessions = async (query: string): Promise<unknown[]> =>
      (await lines(shared, query))
        .filter(one => one['type'] === 'session')
        .map(one => one['product'])
    assert.deepEqual(await sessions('?product=viewer'), ['viewer'])
    assert.deepEqual(await sessions('?contains=b.c=x'), ['editor'])
    assert.deepEqual(await sessions('?ever=a=1&q=edi'), ['editor'])
    assert.deepEqual(await sessions('?status=ended'), [])
    assert.deepEqual(await sessions(`?to=${start}`), [])
    for (const [query, field] of [
      ['status=x', 'status'],
      ['current=x', 'current'],
      ['from=today', 'from'],
      ['nonsense=1', 'nonsense'],
      ['page=1', 'page']
    ] as const) {
      const { status, body } = await shared.call('GET', `/v1/datacat/export?${query}`)
      assert.deepEqual(
        [status, (body['errors'] as { pointer: string }[])[0]?.pointer],
        [400, `/query/${field}`],
        query
      )
    }
  })
})

async function exported(query = ''): Promise<OldSessionAnswer[]> {
  const answer: { status: number; body: unknown } = await shared.call(
    'GET',
    `/api/grafana/sessions${query}`
  )
  assert.equal(answer.status, 200)
  return answer.body as OldSessionAnswer[]
}

describe("the first version's export", () => {
  const all = async (query = ''): Promise<unknown[]> => {
    return (await exported(query)).map(one => one.id)
  }

  test('has all sessions unless a limit or a time cuts it', async () => {
    const old = await all()
    const ids = await Promise.all(
      Array.from({ length: 210 }, (_, n) => open(shared, { state: { n } }))
    )
    assert.deepEqual((await all()).toSorted(), [...old, ...ids].toSorted())
    assert.equal(new Set(await all('?limit=3')).size, 3)
    assert.equal((await all('?limit=201')).length, 201)
    await sleep(5)
    const since = Date.now()
    await batch(shared, ids[7]!, { events: [{ name: 'late' }] })
    assert.deepEqual(await all(`?since=${since}`), [ids[7]])
    assert.deepEqual(await all(`?since=${new Date(since).toISOString()}&limit=1`), [ids[7]])
    assert.deepEqual(await all('?since=2100-01-01T00:00:00Z'), [])
  })

  test('a wrong limit or time is refused with a reason before anything is sent', async () => {
    for (const query of [
      'limit=0',
      'limit=-1',
      'limit=x',
      'limit=1.5',
      'since=yesterday',
      'since=2026-01-01',
      'since='
    ]) {
      const answer = await fetch(`${shared.url}/api/grafana/sessions?${query}`)
      assert.deepEqual(
        [answer.status, answer.headers.get('content-type')],
        [400, 'text/plain; charset=utf-8'],
        query
      )
      assert.match(await answer.text(), new RegExp(`/query/${query.split('=')[0]} `))
    }
  })
})

describe('both', () => {
  test('stream a session of 30,000 points over interleaved metrics, complete and in order', async () => {
    const id = await open(shared, { product: 'large' })
    const nameOf = (n: number): string =>
      n % 10 === 0 ? 'rare' : n < 15_000 ? `early${n % 3}` : `late${n % 4}`
    for (let from = 0; from < 30_000; from += 1_000)
      await batch(shared, id, {
        metrics: Array.from({ length: 1_000 }, (_, k) => ({
          name: nameOf(from + k),
          value: from + k
        }))
      })
    const [session, ...points] = await lines(shared, '?product=large')
    assert.deepEqual(
      [session?.['type'], session?.['metric_count'], points.length],
      ['session', 30_000, 30_000]
    )
    points.forEach((point, n) => {
      if (
        point['n'] !== n ||
        point['value'] !== n ||
        point['name'] !== nameOf(n) ||
        point['session_id'] !== id
      )
        assert.fail(`line ${n} is ${JSON.stringify(point)}`)
    })
    const large = (await exported()).find(one => one.id === id)
    assert.deepEqual(
      large?.metrics.map(one => one.value),
      Array.from({ length: 30_000 }, (_, n) => n)
    )
  })
})

describe('live updates', () => {
  /** Listens until the test ends; `next` waits for an event that was not waited for before. */
  async function listen(t: TestContext, app: App, query = '') {
    const gone = new AbortController()
    const answer = await fetch(`${app.url}/v1/datacat/live${query}`, { signal: gone.signal })
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type')],
      [200, 'text/event-stream']
    )
    const told: Told[] = []
    const reading = (async () => {
      let text = ''
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        const parts = (text + chunk).split('\n\n')
        text = parts.pop() ?? ''
        for (const part of parts) {
          const found = /^event: (\w+)\ndata: (.*)$/.exec(part)
          if (found)
            told.push({ event: found[1]!, data: JSON.parse(found[2]!) as Line, at: Date.now() })
        }
      }
    })().catch(() => {})
    const close = async (): Promise<void> => {
      gone.abort()
      await reading
    }
    t.after(close)
    const next = (
      event: string,
      is: (data: Line) => boolean = () => true,
      ms = 5_000
    ): Promise<Told> =>
      eventually(
        `${event}`,
        () => {
          const index = told.findIndex(one => one.event === event && is(one.data))
          return index < 0 ? undefined : told.splice(index, 1)[0]
        },
        ms
      )
    return { next, close, told }
  }

  test('tell each change of any application within two seconds, only to whom it concerns', async t => {
    const { host, port, user, password, database } = shared.app.db.client
      .connectionSettings as Exclude<Connection, { connectionString: string }>
    const [here, there] = [
      shared,
      await createTestApp(t, {
        plugins: [datacat],
        connection: { host, port, user, password: password!, database }
      })
    ]
    const [id, other] = [await open(here), await open(here)]
    const [one, everything] = [
      await listen(t, here, `?session=${id.toUpperCase()}`),
      await listen(t, here)
    ]
    assert.equal((await one.next('session')).data['id'], id)
    for (const [app, name] of [
      [here, 'here'],
      [there, 'there']
    ] as const) {
      await batch(app, id, {
        events: [{ name, data: { a: 1 } }],
        metrics: [{ name, value: 1.5, tags: ['t'] }],
        states: [{ state: { name } }]
      })
      const acknowledged = Date.now()
      const found = [
        await one.next('event', data => data['name'] === name),
        await one.next('metric', data => data['name'] === name),
        await one.next('state'),
        await one.next('session'),
        await everything.next(
          'session',
          data => data['id'] === id && Number(data['event_count']) > 0
        )
      ]
      assert.deepEqual(
        [
          found[0]?.data['data'],
          found[1]?.data['value'],
          found[1]?.data['tags'],
          found[2]?.data['patch']
        ],
        [{ a: 1 }, 1.5, ['t'], { name }]
      )
      for (const { at, event } of found)
        assert.ok(
          at - acknowledged < 2_000,
          `${event} came ${at - acknowledged} ms after the acknowledgement`
        )
    }
    await there.call('POST', `/v1/datacat/sessions/${other}/end`)
    assert.equal(
      (await everything.next('session', data => data['id'] === other && data['active'] === false))
        .data['status'],
      'ended'
    )
    await batch(here, id, {
      metrics: Array.from({ length: 700 }, (_, n) => ({ name: `m${n % 3}`, value: n }))
    })
    assert.equal((await one.next('skipped')).data['metrics'], 200)
    await one.next('metric', data => data['value'] === 699)
    assert.deepEqual(
      one.told.filter(told => told.event === 'metric').map(told => told.data['value']),
      Array.from({ length: 499 }, (_, n) => 200 + n)
    )
    assert.deepEqual(
      one.told.filter(told => told.data['id'] === other),
      []
    )
  })

  test('survive a session that begins anew under its id, and a database that is away', async t => {
    const { app } = shared
    const id = await open(app)
    const one = await listen(t, app, `?session=${id}`)
    await batch(app, id, {
      states: [{ state: { a: 1 } }, { state: { a: 2 } }],
      events: [{ name: 'old' }]
    })
    await one.next('event')
    assert.equal((await app.call('DELETE', `/v1/datacat/sessions/${id}`)).status, 200)
    await open(app, { id })
    await batch(app, id, { events: [{ name: 'new' }] })
    await one.next('event', data => data['name'] === 'new')
    await app.db.raw('alter table datacat_sessions rename to datacat_away')
    await one.next('trouble')
    await sleep(1_200)
    await app.db.raw('alter table datacat_away rename to datacat_sessions')
    assert.equal(
      one.told.filter(told => told.event === 'trouble').length,
      0,
      'trouble is told once'
    )
    await batch(app, id, { events: [{ name: 'after' }] })
    await one.next('event', data => data['name'] === 'after')
  })

  test('an unknown session is 404, and nobody looks any more once the last listener is gone', async t => {
    const { app } = shared
    for (const id of [unknown, 'nope', '', `${unknown}&session=${unknown}`])
      assert.equal((await app.call('GET', `/v1/datacat/live?session=${id}`)).status, 404, id)
    let looks = 0
    app.db.on('query', ({ sql }: { sql: string }) => {
      if (sql.includes('"s"."updated_at" >=')) looks += 1
    })
    const feeds = [await listen(t, app), await listen(t, app, `?session=${await open(app)}`)]
    await eventually('looks', () => looks > 1)
    await feeds[0]?.close()
    const before = looks
    await eventually('looks for the other listener', () => looks > before + 1)
    await feeds[1]?.close()
    await sleep(700)
    const after = looks
    await sleep(1_200)
    assert.equal(looks, after, 'the database is asked though nobody listens')
  })
})
