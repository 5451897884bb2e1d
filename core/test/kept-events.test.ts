import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  defineEvent,
  definePlugin,
  Type,
  type JobContext,
  type KeptEvent,
  type PluginApp
} from '../index.ts'
import { createTestApp } from '../testing.ts'
import { eventually } from './eventually.ts'

const Happened = defineEvent('keeper.happened', Type.Object({ n: Type.Integer() }))

interface Seen {
  readonly handled: { readonly n: number; readonly attempt: number; readonly last: boolean }[]
  app?: PluginApp<unknown>
  kept?: KeptEvent
}

/** A plugin that keeps numbers as rows, and one that is told of them. */
const plugins = (seen: Seen, handle: (n: number, context: JobContext) => void) => [
  definePlugin({
    id: 'keeper',
    version: '1.0.0',
    migrations: [
      {
        name: '0001_numbers',
        up: trx => trx.raw('create table keeper_numbers (id bigint primary key, n integer)')
      }
    ],
    register(app) {
      seen.app = app as PluginApp<unknown>
      seen.kept = app.keep(Happened, async ids => {
        const rows = await app.db('keeper_numbers').whereIn('id', ids).orderBy('id')
        return new Map(rows.map(row => [Number(row.id), { n: row.n }]))
      })
    }
  }),
  definePlugin({
    id: 'listener',
    version: '1.0.0',
    register(app) {
      app.on(Happened, async ({ n }, context) => {
        handle(n, context)
        seen.handled.push({ n, attempt: context.attempt, last: context.lastAttempt })
      })
    }
  })
]

/** Stores rows and puts their job in line in one statement, as the owner of an event does. */
async function store({ app, kept }: Seen, ids: readonly number[]): Promise<void> {
  assert.ok(app && kept, 'the plugin is registered')
  const statement = app.statement(
    'keeper_store',
    `with stored as (
      insert into keeper_numbers
      select id, id * 10 from unnest($1::bigint[]) as id
      returning id
    )
    select core_emit($2::text[], array(select id from stored order by id))`
  )
  await statement.run([ids, kept.queues()])
  kept.told()
}

const jobsOf = async (db: PluginApp<unknown>['db']) =>
  db('jobs.job').where({ name: 'on.keeper.happened.listener' }).orderBy('created_on')

test('an event of many rows is one job, and each row reaches the subscriber once', async t => {
  const seen: Seen = { handled: [] }
  const app = await createTestApp(t, { plugins: plugins(seen, () => {}) })
  await store(seen, [1, 2, 3])
  const jobs = await jobsOf(app.db)
  assert.deepEqual(
    jobs.map(job => job.data),
    [{ ids: [1, 2, 3] }]
  )
  await app.drain()
  assert.deepEqual(seen.handled.map(({ n }) => n).sort(), [10, 20, 30])
})

test('one that fails is tried again by itself, and repeats none of the others', async t => {
  const seen: Seen = { handled: [] }
  const lastAttempts: boolean[] = []
  let broken = true
  const refuse = (n: number, context: JobContext): void => {
    if (n !== 20) return
    lastAttempts.push(context.lastAttempt)
    if (broken) throw new Error('the number 20 is refused')
  }
  const app = await createTestApp(t, { plugins: plugins(seen, refuse) })
  await store(seen, [1, 2, 3])
  await app.drain()
  assert.deepEqual(seen.handled.map(({ n }) => n).sort(), [10, 30])
  assert.deepEqual(lastAttempts, [false], 'the job of many is never the last attempt of one')
  broken = false
  await app
    .db('jobs.job')
    .where({ state: 'created' })
    .update({ start_after: new Date(0) })
  await app.drain()
  assert.deepEqual(seen.handled.map(({ n }) => n).sort(), [10, 20, 30])
  assert.deepEqual(
    (await jobsOf(app.db)).map(job => [job.state, job.data]),
    [
      ['completed', { ids: [1, 2, 3] }],
      ['completed', { ids: [2] }]
    ]
  )
})

test('rows that are gone by then are passed over, and so is a payload without rows', async t => {
  const seen: Seen = { handled: [] }
  const app = await createTestApp(t, { plugins: plugins(seen, () => {}) })
  await store(seen, [1, 2])
  await app.db('keeper_numbers').where({ id: 1 }).delete()
  await app.db.transaction(async trx => seen.app?.emit(trx, Happened, { n: 7 }))
  await app.drain()
  assert.deepEqual(
    seen.handled.map(({ n }) => n).sort((a, b) => a - b),
    [7, 20]
  )
})

test('a queue that does not exist takes the rows back with it', async t => {
  const seen: Seen = { handled: [] }
  const app = await createTestApp(t, { plugins: plugins(seen, () => {}) })
  const missing = { ...seen, kept: { queues: () => ['nobody'], told: () => {} } }
  await assert.rejects(store(missing, [1]), /queues \{nobody\} do not exist/)
  assert.deepEqual(await app.db('keeper_numbers'), [])
})

test('of many wakes the last one is not lost', async t => {
  const seen: Seen = { handled: [] }
  await createTestApp(t, {
    plugins: plugins(seen, () => {}),
    env: { RAYNE_ROLE: 'web,worker' }
  })
  for (let id = 1; id <= 30; id++) await store(seen, [id])
  await eventually('a job for each of thirty rows', () => seen.handled.length === 30)
  assert.equal(new Set(seen.handled.map(({ n }) => n)).size, 30)
})
