import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import { stateAt } from '../service/state-text.ts'
import type { JsonObject } from '../wire/json.ts'
import { mergedOf } from './merged.ts'

const shared = suiteApp({ plugins: [datacat] })
const api = '/v1/datacat/sessions'
const get = async <T>(path: string): Promise<T> => {
  const { status, body }: { status: number; body: unknown } = await shared.call('GET', path)
  assert.equal(status, 200, JSON.stringify(body))
  return body as T
}
interface StatesPage {
  readonly states: readonly { readonly patch: object }[]
  readonly next_after: number | null
}
interface ListPage {
  readonly sessions: readonly { readonly id: string }[]
  readonly total_count: number
  readonly page: number
  readonly next_cursor: string | null
}
interface State {
  readonly state: JsonObject
}
interface Clients {
  readonly state: {
    readonly clients: Readonly<Record<string, { readonly n: number; readonly list: unknown[] }>>
  }
}
const empty: JsonObject = {}
/** The same on ordinary objects, which `deepEqual` asks for. */
const bare = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject
const open = async (body: object = {}): Promise<string> =>
  (await shared.call('POST', api, body)).body['session_id'] as string
const patch = async (id: string, body: unknown): Promise<void> =>
  assert.equal((await shared.call('POST', `/api/sessions/${id}/state`, body)).status, 200)
const found = async (query: string): Promise<string[]> =>
  (await get<ListPage>(`${api}?${query}`)).sessions.map(one => one.id)

test('every update is kept: the history reads back, and so does the state of any moment', async () => {
  const id = await open()
  const patches = Array.from({ length: 150 }, (_, n) => ({
    n,
    ...(n % 3 === 0
      ? { nested: { [`k${n % 7}`]: n } }
      : n % 3 === 1
        ? { list: [n] }
        : { nested: { deep: { at: n } } })
  }))
  const start = Date.now() - 1_000_000
  for (let from = 0; from < patches.length; from += 50)
    assert.equal(
      (
        await shared.call('POST', `${api}/${id}/batch`, {
          states: patches
            .slice(from, from + 50)
            .map((state, k) => ({ state, timestamp: start + (from + k) * 1_000 }))
        })
      ).status,
      200
    )
  const pages = [
    await get<StatesPage>(`${api}/${id}/states?limit=100`),
    await get<StatesPage>(`${api}/${id}/states?limit=100&after=100`)
  ] as const
  assert.deepEqual(
    pages.flatMap(page => page.states.map(state => state.patch)),
    patches
  )
  assert.deepEqual([pages[0].next_after, pages[1].next_after], [100, null])
  const states: JsonObject[] = []
  for (const one of patches) states.push(bare(mergedOf(states.at(-1) ?? {}, bare(one))))
  for (const n of [0, 1, 62, 63, 64, 65, 100, 127, 128, 149])
    assert.deepEqual(
      (await get<State>(`${api}/${id}/state?at=${start + n * 1_000 + 500}`)).state,
      states[n],
      `after update ${n}`
    )
  assert.deepEqual((await get<State>(`${api}/${id}/state?at=${start - 1}`)).state, {})
  assert.deepEqual((await get<State>(`${api}/${id}`)).state, states.at(-1))
  assert.equal((await shared.call('GET', `${api}/${id}/state?at=now`)).status, 400)
  const snapshots = await shared.app
    .db('datacat_states')
    .whereNotNull('snapshot')
    .count({ n: '*' })
    .first()
  assert.ok(Number(snapshots?.['n']) <= 4, 'a snapshot is kept now and then, not each time')
})

test('filters: current, ever, contains and ever_contains, all of which must hold', async () => {
  const [probe, plain, gone] = [
    await open({ product: 'filters' }),
    await open({ product: 'filters' }),
    await open({ product: 'filters' })
  ]
  await patch(probe, {
    window_state: { open: ['map', 'space probe'], active: 'map' },
    application: { status: 'running' },
    count: 1.5,
    flag: true,
    none: null,
    'dotted.key': 'x'
  })
  await patch(plain, {
    window_state: { open: ['map'] },
    application: { status: 'stopped' },
    deep: [{ a: 1, b: 2 }]
  })
  await patch(gone, { window_state: { open: ['space probe'] }, application: { status: 'running' } })
  await patch(gone, { window_state: { open: [] }, application: 'replaced' })
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['contains=window_state.open=space probe', [probe]],
    ['ever_contains=window_state.open=space probe', [probe, gone]],
    ['current=application.status=running', [probe]],
    ['ever=application.status=running', [probe, gone]],
    ['current=application=replaced', [gone]],
    ['current=count=1.5', [probe]],
    ['current=flag=true', [probe]],
    ['current=none=null', [probe]],
    ['current=dotted.key=x', [probe]],
    ['current=window_state.open=["map","space probe"]', [probe]],
    ['current=window_state.open=[]', [gone]],
    ['current=deep=[{"a":1,"b":2}]', [plain]],
    ['contains=window_state.open=map&current=application.status=running', [probe]],
    ['contains=window_state.open=map&contains=window_state.open=space probe', [probe]],
    ['current=window_state.open=space probe', []],
    ['contains=application.status=running', []],
    ['ever=nothing=x', []],
    ['ever=application.status=running&current=application.status=stopped', []]
  ]
  for (const [query, wanted] of cases)
    assert.deepEqual(
      (
        await found(`product=filters&${query.replaceAll('"', '%22').replaceAll(' ', '%20')}`)
      ).sort(),
      [...wanted].sort(),
      query
    )
  await patch(gone, { application: { status: 'running' } })
  assert.deepEqual(
    (await found('product=filters&current=application.status=running')).sort(),
    [probe, gone].sort(),
    'a value that comes back is current again'
  )
})

test('lists: newest first, paged by number and by cursor, searched, and narrowed by time and status', async () => {
  const ids: string[] = []
  for (let n = 0; n < 7; n++)
    ids.unshift(
      await open({
        product: 'listed',
        version: String(n % 2),
        machine_id: `m${n % 3}`,
        hostname: `host-${n}`,
        started_at: Date.UTC(2026, 4, 1 + n)
      })
    )
  await shared.call('POST', `${api}/${ids[0]}/end`)
  assert.deepEqual(await found('product=listed'), ids)
  const pages = [
    await get<ListPage>(`${api}?product=listed&per_page=3&page=1`),
    await get<ListPage>(`${api}?product=listed&per_page=3&page=3`)
  ] as const
  assert.deepEqual(
    pages.map(page => [page.sessions.map(one => one.id), page.total_count, page.page]),
    [
      [ids.slice(0, 3), 7, 1],
      [ids.slice(6), 7, 3]
    ]
  )
  assert.deepEqual(
    await found(`product=listed&per_page=3&cursor=${pages[0].next_cursor}`),
    ids.slice(3, 6)
  )
  assert.deepEqual(
    [
      pages[1].next_cursor,
      await found('product=listed&version=1'),
      await found('product=listed&machine_id=m0&version=0')
    ],
    [null, ids.filter((_, n) => (6 - n) % 2 === 1), [ids[0], ids[6]]]
  )
  assert.deepEqual(
    [
      await found('product=listed&status=ended'),
      (await found('product=listed&status=active')).length
    ],
    [[ids[0]], 6]
  )
  assert.deepEqual(
    [
      await found('q=HOST-3'),
      await found(`q=${ids[2]!.slice(0, 9)}`),
      (await found('q=listed')).length
    ],
    [[ids[3]], [ids[2]], 7]
  )
  assert.deepEqual(
    await found('product=listed&from=2026-05-02T00:00:00Z&to=2026-05-04T00:00:00Z'),
    ids.slice(4, 6)
  )
  for (const bad of [
    'per_page=0',
    'per_page=201',
    'status=odd',
    'page=x',
    'cursor=-1',
    'from=x',
    'nope=1',
    'ever=x',
    'contains==x'
  ])
    assert.equal((await shared.call('GET', `${api}?${bad}`)).status, 400, bad)
  const { products } = await get<{ products: { product: string }[] }>('/v1/datacat/products')
  assert.deepEqual(
    products.find(one => one.product === 'listed'),
    { product: 'listed', versions: ['0', '1'], sessions: 7, active: 6, hung: 0, crashed: 0 }
  )
  const { machines } = await get<{
    machines: { machine_id: string; hostname: string; sessions: number; active: number }[]
  }>('/v1/datacat/machines')
  assert.deepEqual(
    machines.map(({ machine_id, hostname, sessions, active }) => [
      machine_id,
      hostname,
      sessions,
      active
    ]),
    [
      ['m0', 'host-6', 3, 2],
      ['m1', 'host-4', 2, 2],
      ['m2', 'host-5', 2, 2]
    ]
  )
  const stats = await get<Record<'sessions' | 'active' | 'ended', number>>('/v1/datacat/stats')
  assert.deepEqual(
    [stats.sessions, stats.active + stats.ended, stats.ended],
    [
      await shared.app
        .db('datacat_sessions')
        .count({ n: '*' })
        .first()
        .then(row => Number(row?.['n'])),
      stats.sessions,
      1
    ]
  )
})

test('64 clients writing and reading one state at once: no error, and the end is the serial merge', async () => {
  const id = await open()
  const until = Date.now() + 5_000
  const own = await Promise.all(
    Array.from({ length: 64 }, async (_, client) => {
      let n = 0
      for (; n === 0 || Date.now() < until; n++) {
        await patch(id, {
          clients: { [`c${client}`]: { n, list: [n, null], [`__proto__`]: 1 } },
          shared: { last: client, 'a.b': n }
        })
        if (n % 5 === 0)
          assert.equal(
            (await get<Clients>(`/api/sessions/${id}`)).state.clients[`c${client}`]?.n,
            n
          )
      }
      return n - 1
    })
  )
  const { state } = await get<Clients>(`/api/sessions/${id}`)
  assert.deepEqual(Object.keys(state.clients).length, 64)
  own.forEach((n, client) =>
    assert.deepEqual(
      [state.clients[`c${client}`]?.n, state.clients[`c${client}`]?.list],
      [n, [n, null]]
    )
  )
  const key = (await shared.app.db('datacat_sessions').where({ id }).first('key'))?.key as string
  const patches = (await shared.app
    .db('datacat_states')
    .where({ session_key: key })
    .orderBy('n')
    .pluck('patch')) as string[]
  assert.equal(
    patches.length,
    own.reduce((sum, n) => sum + n + 1, 0),
    'an update is missing from the history'
  )
  assert.deepEqual(
    bare(patches.reduce((after, text) => mergedOf(after, JSON.parse(text) as JsonObject), empty)),
    state
  )
})

test('the state rebuilt from the history is the current one, whatever the patches (property)', async () => {
  const key = fc.constantFrom('a', 'b', '__proto__', '')
  const tree = fc.letrec<{ object: JsonObject }>(tie => ({
    object: fc
      .array(
        fc.tuple(
          key,
          fc.oneof(
            { depthSize: 'small' },
            fc.integer(),
            fc.constant(null),
            fc.array(fc.integer(), { maxLength: 2 }),
            tie('object')
          )
        ),
        { maxLength: 3 }
      )
      .map(
        entries =>
          JSON.parse(
            `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
          ) as JsonObject
      )
  })).object
  await fc.assert(
    fc.asyncProperty(fc.array(tree, { minLength: 1, maxLength: 5 }), async patches => {
      const id = await open()
      for (const one of patches) await patch(id, JSON.stringify(one))
      const { state } = await get<State>(`/api/sessions/${id}`)
      assert.deepEqual(state, bare(patches.reduce((after, one) => mergedOf(after, one), empty)))
      const session = Number(
        (await shared.app.db('datacat_sessions').where({ id }).first('key'))?.key
      )
      assert.deepEqual(bare(await stateAt(shared.app.db, session, Date.now() + 1_000)), state)
    }),
    { numRuns: 15 }
  )
})
