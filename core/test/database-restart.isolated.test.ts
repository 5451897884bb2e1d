import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { startEmbedded, type EmbeddedDatabase } from '../postgres/embedded.ts'
import { defineEvent, definePlugin, Type } from '../index.ts'
import { atEnd, createTestApp } from '../testing.ts'
import { eventually } from './eventually.ts'

const Stored = defineEvent('notes.stored', Type.Object({ n: Type.Integer() }))
const plugin = definePlugin({
  id: 'notes',
  version: '1.0.0',
  migrations: [
    {
      name: '0001_notes',
      up: trx =>
        trx.raw(
          'create table notes (n int primary key); create table notes_seen (n int primary key)'
        )
    }
  ],
  register(app) {
    app.route({
      method: 'POST',
      path: '',
      auth: 'public',
      summary: 'x',
      body: Type.Object({ n: Type.Integer() }),
      response: Type.Object({ n: Type.Integer() }),
      async handle({ body }) {
        await app.db.transaction(async trx => {
          await trx('notes').insert({ n: body.n })
          await app.emit(trx, Stored, body)
        })
        return body
      }
    })
    app.on(Stored, async ({ n }) => {
      await app.db('notes_seen').insert({ n }).onConflict('n').ignore()
    })
  }
})

async function ownServer(t: TestContext): Promise<EmbeddedDatabase> {
  const home = mkdtempSync(path.join(tmpdir(), 'rayne-restart-'))
  const server = await startEmbedded({ home, log: () => {} })
  atEnd(t, async () => {
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  })
  return server
}

test('a database that dies in the middle of work costs answers, not what was acknowledged', async t => {
  const server = await ownServer(t)
  const lines: string[] = []
  const app = await createTestApp(t, {
    connection: server.connection,
    plugins: [plugin],
    env: { RAYNE_ROLE: 'web,worker' },
    onLog: line => lines.push(line)
  })
  const answered = new Map<number, number>()
  const retryAfter = new Set<string | null>()
  let stop = false
  const writer = async (first: number): Promise<void> => {
    for (let n = first; !stop; n += 4) {
      const { status, headers } = await app.call('POST', '/v1/notes', { n })
      answered.set(n, status)
      if (status === 503) retryAfter.add(headers.get('retry-after'))
    }
  }
  const writers = [0, 1, 2, 3].map(writer)
  const count = (status: number): number =>
    [...answered.values()].filter(one => one === status).length
  try {
    for (const round of [1, 2]) {
      const [before, refused] = [count(200), count(503)]
      await eventually('work', () => count(200) > before + 50)
      process.kill(server.pid, 'SIGKILL')
      await eventually(`refusals in round ${round}`, () => count(503) > refused)
      const recovered = count(200)
      await eventually('new work', () => count(200) > recovered + 50, 30_000)
    }
  } finally {
    stop = true
    await Promise.all(writers)
  }
  assert.deepEqual([...new Set(answered.values())].toSorted(), [200, 503])
  assert.deepEqual([...retryAfter], ['5'])
  assert.equal((await app.call('GET', '/readyz')).status, 200)
  const acknowledged = [...answered].filter(([, status]) => status === 200).map(([n]) => n)
  const seen = async (): Promise<Set<number>> =>
    new Set((await app.db('notes_seen').select('n')).map(row => row.n))
  await eventually(
    'every acknowledged note to be seen',
    async () => {
      const all = await seen()
      return acknowledged.every(n => all.has(n))
    },
    60_000
  )
  const stored = new Set((await app.db('notes').select('n')).map(row => row.n))
  assert.deepEqual(
    [...(await seen())].filter(n => !stored.has(n)),
    [],
    'events of transactions that were rolled back'
  )
  assert.ok(!lines.some(line => line.includes('"status":500')))
})

test('while the database is away, the process says so and lives', async t => {
  const server = await ownServer(t)
  const app = await createTestApp(t, { connection: server.connection, plugins: [plugin] })
  // A server that cannot be reached and does not come back by itself: every backend is refused.
  const refuse = async (allowed: boolean): Promise<void> => {
    const pg = (await import('pg')).default
    const admin = new pg.Client({ ...server.connection, database: 'postgres' })
    await admin.connect()
    await admin.query(`alter database ${server.connection.database} allow_connections ${allowed}`)
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      server.connection.database
    ])
    await admin.end()
  }
  await refuse(false)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => app.call('POST', '/v1/notes', { n }))
  )
  assert.ok(
    answers.every(one => one.status === 503),
    answers.map(one => one.status).join(' ')
  )
  assert.equal((await app.call('GET', '/healthz')).status, 200)
  assert.equal((await app.call('GET', '/readyz')).status, 503)
  await refuse(true)
  await eventually(
    'a new connection',
    async () => (await app.call('POST', '/v1/notes', { n: 99 })).status === 200
  )
  assert.equal((await app.call('GET', '/readyz')).status, 200)
})
