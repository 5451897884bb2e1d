import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { suiteApp } from '../../../core/test/suite-app.ts'
import type { JobHandle, Knex } from '../../../core/index.ts'
import { readPluginConfig } from '../../../core/config.ts'
import { createLogger } from '../../../core/log.ts'
import datacat from '../plugin.ts'
import { keepTo } from '../service/retention.ts'
import { ensurePartitions, periodMs } from '../store/partitions.ts'
import type { SessionAnswer } from './answers.ts'

interface App {
  readonly app: { readonly db: Knex; readonly drain: () => Promise<number> }
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
}
/** What the tests read of any answer. */
interface Found extends Partial<Omit<SessionAnswer, 'metrics'>> {
  readonly session_id?: string
  readonly metrics?: readonly { readonly name: string; readonly points: number }[]
  readonly points?: readonly object[]
  readonly events?: readonly { readonly name: string }[]
  readonly count?: number
  readonly total_count?: number
  readonly duplicate?: boolean
}

const dayMs = 86_400_000
const shared = suiteApp({ plugins: [datacat], env: { RAYNE_DATACAT_RETENTION_DAYS: '30' } })
const log = createLogger({ level: 'silent' })
const period = (now = Date.now()): number => Math.floor(now / periodMs)

async function call(
  app: App,
  method: string,
  path: string,
  body?: unknown,
  expected = 200
): Promise<Found> {
  const answer = await app.call(method, path, body)
  assert.equal(answer.status, expected, `${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body as Found
}
/** A session with rows in every table of the plugin. */
async function open(app: App, product: string, fields: object = {}): Promise<string> {
  const { session_id: id } = await call(
    app,
    'POST',
    '/v1/datacat/sessions',
    {
      product,
      machine_id: `machine of ${product}`,
      hostname: `host of ${product}`,
      state: { [product]: { open: ['a', 'b'] } },
      heartbeat: {},
      ...fields
    },
    201
  )
  assert.ok(id)
  await write(app, id, product)
  return id
}
const write = (app: App, id: string, product: string): Promise<Found> =>
  call(app, 'POST', `/v1/datacat/sessions/${id}/batch`, {
    key: 'k',
    states: [{ state: { more: product } }],
    events: [{ name: `event of ${product}` }],
    metrics: Array.from({ length: 140 }, (_, n) => ({ name: `metric of ${product}`, value: n }))
  })

const ownersSql = `
  select c.relname as name,
    bool_or(a.attname = 'session_key') as by_session,
    bool_or(a.attname = 'series_id') as by_series
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid
  where c.relname like 'datacat\\_%'
    and c.relkind in ('r', 'p')
    and not c.relispartition
    and a.attnum > 0
  group by c.relname`

/** Rows of every table of the plugin that belong to a session, by table, where there are any. */
async function rowsOf(db: Knex, keys: readonly number[]): Promise<Record<string, number>> {
  const { rows: tables } = await db.raw(ownersSql)
  const found: Record<string, number> = {}
  for (const { name, by_session: bySession, by_series: bySeries } of tables as {
    name: string
    by_session: boolean
    by_series: boolean
  }[]) {
    assert.ok(
      bySession || bySeries || name === 'datacat_sessions',
      `what belongs to a session in ${name}?`
    )
    const where = bySession
      ? 'session_key = any(?)'
      : bySeries
        ? 'series_id = any(select id from known_series where session_key = any(?))'
        : 'key = any(?)'
    const {
      rows: [row]
    } = await db.raw(`select count(*)::int as n from ${name} where ${where}`, [[...keys]])
    if (row.n > 0) found[name] = row.n
  }
  return found
}
const keyOf = async (db: Knex, id: string): Promise<number> =>
  Number((await db('datacat_sessions').where({ id }).first('key'))?.key)
/** Keeps which series a session had, since its points are found through them alone. */
const remember = async (db: Knex): Promise<void> => {
  await db.raw('drop table if exists known_series')
  await db.raw('create table known_series as select id, session_key from datacat_series')
}
const everyTable = [
  'datacat_batches',
  'datacat_current_states',
  'datacat_events',
  'datacat_heartbeats',
  'datacat_points',
  'datacat_rollups',
  'datacat_series',
  'datacat_sessions',
  'datacat_state_values',
  'datacat_states'
]

/** Everything a reader can be told, as one text. */
async function everything(app: App): Promise<string> {
  const gets = [
    '/v1/datacat/sessions',
    '/v1/datacat/products',
    '/v1/datacat/stats',
    '/api/grafana/sessions'
  ]
  const posts: [string, object][] = [
    ['query', { targets: [{ target: 'sessions' }] }],
    ['variable', { payload: { target: 'products' } }],
    ['variable', { payload: { target: 'sessions' } }],
    ['variable', { payload: { target: 'metrics' } }],
    ['variable', { payload: { target: 'machines' } }],
    ['variable', { payload: { target: 'more' } }],
    ['tag-keys', {}],
    ['tag-values', { key: 'product' }],
    ['tag-values', { key: 'more' }]
  ]
  return JSON.stringify([
    ...(await Promise.all(gets.map(path => call(app, 'GET', path)))),
    ...(await Promise.all(
      posts.map(([path, body]) => call(app, 'POST', `/api/grafana/${path}`, body))
    ))
  ])
}

describe('deleting a session', () => {
  test('takes it out of every answer at once and its rows out of every table in a job', async () => {
    const { app } = shared
    const [gone, kept] = [await open(shared, 'gone'), await open(shared, 'kept')]
    const keys = [await keyOf(app.db, gone), await keyOf(app.db, kept)] as const
    await remember(app.db)
    const before = await rowsOf(app.db, [keys[0]])
    assert.deepEqual(Object.keys(before).toSorted(), everyTable)
    assert.match(
      await everything(shared),
      new RegExp(`${gone}.*metric of gone|metric of gone.*${gone}`, 's')
    )

    assert.deepEqual(await call(shared, 'DELETE', `/v1/datacat/sessions/${gone.toUpperCase()}`), {
      status: 'ok'
    })
    assert.doesNotMatch(await everything(shared), new RegExp(`gone|${gone}`))
    for (const path of ['', '/events', '/points?name=metric%20of%20gone', '/states', '/state'])
      await call(shared, 'GET', `/v1/datacat/sessions/${gone}${path}`, undefined, 404)
    assert.equal(
      (await call(shared, 'GET', '/v1/datacat/series?metric=metric%20of%20gone')).count,
      0
    )
    for (const [path, body] of [
      ['batch', { events: [{ name: 'late' }] }],
      ['batch', { key: 'k', metrics: [{ name: 'metric of gone', value: 1 }] }],
      ['batch', { states: [{ state: {} }] }],
      ['heartbeat', {}],
      ['end', {}]
    ] as const)
      await call(shared, 'POST', `/v1/datacat/sessions/${gone}/${path}`, body, 404)
    assert.equal((await fetch(`${shared.url}/api/sessions/${gone}`)).status, 404)
    await call(shared, 'DELETE', `/v1/datacat/sessions/${gone}`, undefined, 404)
    await call(shared, 'DELETE', '/v1/datacat/sessions/nope', undefined, 404)

    assert.equal(await app.drain(), 1)
    assert.deepEqual(await rowsOf(app.db, [keys[0]]), {})
    assert.deepEqual(await rowsOf(app.db, [keys[1]]), before)
    assert.equal((await call(shared, 'GET', '/v1/datacat/metrics')).metrics?.length, 1)
    assert.equal((await call(shared, 'GET', `/v1/datacat/sessions/${kept}`)).metric_count, 140)
  })

  for (const purged of [true, false]) {
    test(`its id can be opened again, with nothing, ${purged ? 'after' : 'before'} the rows went`, async () => {
      const { app } = shared
      const id = await open(shared, `twice ${purged}`)
      await call(shared, 'DELETE', `/v1/datacat/sessions/${id}`)
      if (purged) await app.drain()
      await call(shared, 'POST', '/v1/datacat/sessions', { id }, 201)
      assert.deepEqual(
        [
          (await call(shared, 'GET', `/v1/datacat/sessions/${id}`)).state,
          (await call(shared, 'GET', `/v1/datacat/sessions/${id}`)).metrics
        ],
        [{}, []]
      )
      assert.equal((await write(shared, id, `twice ${purged}`)).duplicate, false)
      await app.drain()
      const again = await call(shared, 'GET', `/v1/datacat/sessions/${id}`)
      assert.deepEqual(
        [
          again.metric_count,
          again.metrics?.length,
          again.metrics?.[0]?.points,
          again.event_count,
          again.state_count,
          again.state
        ],
        [140, 1, 140, 1, 1, { more: `twice ${purged}` }]
      )
      assert.equal(
        (
          await call(
            shared,
            'GET',
            `/v1/datacat/sessions/${id}/points?name=metric%20of%20twice%20${purged}&limit=1000`
          )
        ).points?.length,
        140
      )
    })
  }
})

describe('partitions', () => {
  test('a missing one is made when something is written', async () => {
    const { app } = shared
    const id = await open(shared, 'parted')
    const writes: [string, object][] = [
      ['points', { metrics: [{ name: 'm', value: 1 }] }],
      ['events', { events: [{ name: 'e' }] }],
      ['rollups', { metrics: Array.from({ length: 64 }, () => ({ name: 'm', value: 2 })) }],
      [
        'points',
        { key: 'parted', states: [{ state: { a: 1 } }], metrics: [{ name: 'new name', value: 3 }] }
      ],
      ['events', { heartbeat: true, end: true, events: [{ name: 'last' }] }]
    ]
    for (const [kind, items] of writes) {
      const table = `datacat_${kind}_${period()}`
      await app.db.raw('drop table ??', [table])
      await call(shared, 'POST', `/v1/datacat/sessions/${id}/batch`, items)
      assert.ok(
        (await app.db.raw('select count(*)::int as n from ??', [table])).rows[0].n > 0,
        kind
      )
    }
    const { state, metrics } = await call(shared, 'GET', `/v1/datacat/sessions/${id}`)
    assert.deepEqual(
      [state, metrics?.map(one => [one.name, one.points])],
      [
        { parted: { open: ['a', 'b'] }, more: 'parted', a: 1 },
        [
          ['metric of parted', 140],
          ['m', 65],
          ['new name', 1]
        ]
      ]
    )
    assert.equal(
      (await call(shared, 'GET', `/v1/datacat/sessions/${id}/events`)).events?.at(-1)?.name,
      'last'
    )
  })

  test('are made for this time and the two after it, once', async () => {
    const { app } = shared
    const { rows } = await app.db.raw(
      "select relname from pg_class where relkind = 'r' and relname ~ '^datacat_(points|rollups|events)_'"
    )
    for (const kind of ['points', 'rollups', 'events'])
      for (const ahead of [0, 1, 2])
        assert.ok(
          rows.some(
            (row: { relname: string }) => row.relname === `datacat_${kind}_${period() + ahead}`
          ),
          `${kind} ${ahead}`
        )
    await Promise.all(
      Array.from({ length: 5 }, () => ensurePartitions(app.db, Date.now() + 400 * dayMs))
    )
  })
})

describe('retention', () => {
  /** The jobs that were asked for, instead of a queue whose keys live for days. */
  const queue = () => {
    const asked: number[] = []
    return {
      asked,
      purge: {
        name: 'purge',
        enqueue: async ({ sessionKey }: { sessionKey: number }) => {
          asked.push(sessionKey)
        }
      } as unknown as JobHandle<{ sessionKey: number }>
    }
  }
  const partitions = async (db: Knex): Promise<number[]> =>
    [
      ...new Set(
        (
          await db.raw(
            "select relname from pg_class where relname ~ '^datacat_(points|rollups|events)_[0-9]+$'"
          )
        ).rows.map((row: { relname: string }) => Number(/\d+$/.exec(row.relname)))
      )
    ].toSorted() as number[]

  test('removes sessions that were idle for longer and drops old partitions; what is fresh stays', async () => {
    const { app } = shared
    const [idle, beating, fresh] = [
      await open(shared, 'idle'),
      await open(shared, 'beating'),
      await open(shared, 'fresh')
    ]
    const old = Date.now() - 100 * dayMs
    // Told as crashed, so that the watch does not write to it now.
    await app
      .db('datacat_heartbeats')
      .where({ session_key: await keyOf(app.db, idle) })
      .update({ last_at: old, condition: 'crashed' })
    await app.db('datacat_sessions').whereIn('id', [idle, beating]).update({ updated_at: old })
    await ensurePartitions(app.db, old - periodMs)
    assert.ok((await partitions(app.db)).includes(period(old) - 1))
    await app.db.raw(
      `insert into datacat_sessions (id, created_at, updated_at)
      select gen_random_uuid(), ?, ?
      from generate_series(1, 1050)`,
      [old, old]
    )
    const { asked, purge } = queue()
    const idleKey = await keyOf(app.db, idle)
    assert.deepEqual(await keepTo(app.db, 0, purge, log), { sessions: 0, partitions: [] })
    assert.equal((await keepTo(app.db, 101, purge, log)).sessions, 0)
    const { sessions } = await keepTo(app.db, 90, purge, log)
    assert.deepEqual([sessions, new Set(asked).size, asked.includes(idleKey)], [1_051, 1_051, true])
    await call(shared, 'GET', `/v1/datacat/sessions/${idle}`, undefined, 404)
    for (const id of [beating, fresh])
      assert.equal(
        (await call(shared, 'GET', `/v1/datacat/sessions/${id}/events`)).events?.length,
        1
      )
    assert.ok(
      (await partitions(app.db)).every(one => (one + 1) * periodMs > Date.now() - 90 * dayMs),
      'a partition that holds old rows only was left'
    )
  })

  test('runs each night with the configured days and purges what it removes', async () => {
    const { app } = shared
    const id = await open(shared, 'first')
    const key = await keyOf(app.db, id)
    await remember(app.db)
    const { count } = (await app.db('datacat_sessions').count())[0] as { count: string }
    await app.db('datacat_heartbeats').update({ last_at: 0, condition: 'crashed' })
    await app.db('datacat_sessions').update({ updated_at: Date.now() - 31 * dayMs })
    const recent = await open(shared, 'recent')
    await app.jobs.boss.send('datacat.retain', {})
    assert.equal(await app.drain(), Number(count) + 1, 'the nightly job and one purge a session')
    assert.deepEqual(await rowsOf(app.db, [key]), {})
    assert.equal((await call(shared, 'GET', '/v1/datacat/sessions')).total_count, 1)
    assert.equal((await call(shared, 'GET', `/v1/datacat/sessions/${recent}`)).metric_count, 140)
  })

  test('years later nothing is left, and there is room for new rows', async () => {
    const { app } = shared
    const later = Date.now() + 800 * dayMs
    const { asked, purge } = queue()
    const done = await keepTo(app.db, 30, purge, log, later)
    assert.deepEqual([done.sessions, asked.length], [1, 1])
    assert.ok(
      done.partitions.includes(`datacat_points_${period()}`) &&
        done.partitions.includes(`datacat_events_${period()}`)
    )
    assert.deepEqual(
      await partitions(app.db),
      [0, 1, 2].map(ahead => period(later) + ahead)
    )
    assert.equal((await app.db('datacat_batches').count())[0]?.['count'], '0')
    assert.equal(
      (await call(shared, 'GET', `/v1/datacat/sessions/${await open(shared, 'new')}`))[
        'metric_count'
      ],
      140
    )
  })

  test('is a year unless it is set, and one that makes no sense is refused', () => {
    const days = (text?: string): unknown => {
      const environment = text === undefined ? {} : { RAYNE_DATACAT_RETENTION_DAYS: text }
      const config = readPluginConfig('datacat', datacat.config, environment)
      return (config as { retention_days: unknown }).retention_days
    }
    assert.deepEqual([days(), days('0'), days('7')], [365, 0, 7])
    for (const wrong of ['-1', '1.5', 'forever', '36501'])
      assert.throws(() => days(wrong), /RAYNE_DATACAT_RETENTION_DAYS/, wrong)
  })
})
