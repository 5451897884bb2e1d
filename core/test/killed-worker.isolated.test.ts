import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atEnd, createTestApp, createTestDatabase } from '../testing.ts'
import { eventually } from './eventually.ts'
import { plugin } from './worker.fixture.ts'

test('the jobs of a killed worker are done by another within 20 s', async t => {
  const connection = await createTestDatabase(t)
  const app = await createTestApp(t, { connection, plugins: [plugin] })
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./worker.fixture.ts', import.meta.url))],
    {
      env: { ...process.env, TRY_CONNECTION: JSON.stringify(connection), TRY_ENDS: 'never' },
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  atEnd(t, () => child.kill('SIGKILL'))
  await app.jobs.boss.send('tries.try', { n: 1 })
  await app.jobs.boss.send('tries.try', { n: 2 })
  const rows = (): Promise<{ n: number; attempt: number; pid: number; done_at: Date | null }[]> =>
    app.db('tries').orderBy(['n', 'attempt'])
  await eventually('the first tries', async () => (await rows()).length === 2, 30_000)
  // Longer than a heartbeat lasts: a living worker keeps its jobs.
  const taken = Date.now()
  await createTestApp(t, { connection, plugins: [plugin], env: { RAYNE_ROLE: 'worker' } })
  await eventually('a heartbeat to pass', () => Date.now() - taken > 13_000, 20_000)
  assert.equal((await rows()).length, 2, 'a job was taken from a living worker')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const killed = Date.now()
  await eventually(
    'the end of both jobs',
    async () => (await rows()).filter(row => row.done_at).length === 2,
    25_000
  )
  t.diagnostic(`replaced after ${Date.now() - killed} ms`)
  assert.ok(Date.now() - killed < 20_000, `${Date.now() - killed} ms`)
  assert.deepEqual(
    (await rows()).map(({ n, attempt, pid, done_at }) => [
      n,
      attempt,
      pid === process.pid,
      done_at !== null
    ]),
    [
      [1, 1, false, false],
      [1, 2, true, true],
      [2, 1, false, false],
      [2, 2, true, true]
    ]
  )
})
