import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  defineEvent,
  definePlugin,
  Type,
  type JobContext,
  type JobHandle,
  type Plugin,
  type PluginApp
} from '../index.ts'
import { createTestApp, createTestDatabase } from '../testing.ts'
import { eventually } from './eventually.ts'

const Number1 = Type.Object({ n: Type.Integer() })
const Happened = defineEvent('emitter.happened', Number1)
type Handle = JobHandle<{ n: number }>

interface Seen {
  app?: PluginApp<unknown>
  job?: Handle
  readonly ran: number[]
  readonly contexts: JobContext[]
}
function appOf(seen: Seen): PluginApp<unknown> {
  assert.ok(seen.app, 'the plugin is registered')
  return seen.app
}
function jobOf(seen: Seen): Handle {
  assert.ok(seen.job, 'the job is defined')
  return seen.job
}
const newSeen = (): Seen => ({ ran: [], contexts: [] })

const worker = (
  seen: Seen,
  run: (n: number, context: JobContext) => Promise<void> | void = () => {},
  spec: { maxRetries?: number; maxConcurrent?: number; timeoutSeconds?: number } = {}
): Plugin =>
  definePlugin({
    id: 'worker',
    version: '1.0.0',
    register(app) {
      seen.app = app as PluginApp<unknown>
      seen.job = app.job('count', {
        ...spec,
        payload: Number1,
        run: async ({ n }, context) => {
          seen.contexts.push(context)
          await run(n, context)
          seen.ran.push(n)
        }
      })
    }
  })
const listener = (id: string, got: string[]): Plugin =>
  definePlugin({
    id,
    version: '1.0.0',
    register(app) {
      app.on(Happened, async ({ n }) => {
        got.push(`${id} ${n}`)
      })
    }
  })
const enqueue = (seen: Seen, ...given: Parameters<Handle['enqueue']>): Promise<void> =>
  jobOf(seen).enqueue(...given)

/** Makes a retry due at once. */
const hurry = (app: Awaited<ReturnType<typeof createTestApp>>): Promise<unknown> =>
  app.db.raw("update jobs.job set start_after = now() where state = 'retry'")

describe('events', () => {
  test('reach each subscriber once after the commit, and nobody after a roll-back', async t => {
    const [seen, got]: [Seen, string[]] = [newSeen(), []]
    const app = await createTestApp(t, {
      plugins: [worker(seen), listener('left', got), listener('right', got)]
    })
    const { db, emit } = appOf(seen)
    await assert.rejects(
      db.transaction(async trx => {
        await emit(trx, Happened, { n: 1 })
        throw new Error('rolled back')
      }),
      /rolled back/
    )
    assert.equal(await app.drain(), 0)
    await db.transaction(async trx => {
      await emit(trx, Happened, { n: 2 }, { n: 3 })
      assert.equal(await app.drain(), 0, 'nothing is seen before the commit')
    })
    assert.equal(await app.drain(), 4)
    assert.deepEqual(got.toSorted(), ['left 2', 'left 3', 'right 2', 'right 3'])
    assert.equal(await app.drain(), 0)
  })

  test('of nobody, or to nobody, are fine; a wrong payload is refused before it is stored', async t => {
    const seen = newSeen()
    const app = await createTestApp(t, { plugins: [worker(seen), listener('left', [])] })
    const { db, emit } = appOf(seen)
    await db.transaction(trx => emit(trx, defineEvent('emitter.unheard', Number1), { n: 1 }))
    await db.transaction(trx => emit(trx, Happened))
    await assert.rejects(
      db.transaction(trx => emit(trx, Happened, { n: 1.5 })),
      { code: 'invalid-input' }
    )
    assert.equal(await app.drain(), 0)
  })

  test('one subscriber that fails does not hold back the other', async t => {
    const [seen, got]: [Seen, string[]] = [newSeen(), []]
    const broken = definePlugin({
      id: 'broken',
      version: '1.0.0',
      register(app) {
        app.on(Happened, async () => {
          throw new Error('no luck')
        })
      }
    })
    const app = await createTestApp(t, { plugins: [worker(seen), broken, listener('right', got)] })
    await appOf(seen).db.transaction(trx => appOf(seen).emit(trx, Happened, { n: 1 }))
    await app.drain()
    assert.deepEqual(got, ['right 1'])
  })
})

describe('jobs', () => {
  test('with a key exist once, also when asked for at the same time, also after they ran', async t => {
    const seen = newSeen()
    const app = await createTestApp(t, { plugins: [worker(seen)] })
    await Promise.all(Array.from({ length: 10 }, () => enqueue(seen, { n: 1 }, { key: 'alert-1' })))
    await enqueue(seen, { n: 2 }, { key: 'alert-2' })
    assert.equal(await app.drain(), 2)
    await enqueue(seen, { n: 1 }, { key: 'alert-1' })
    assert.equal(await app.drain(), 0)
    assert.deepEqual(seen.ran.toSorted(), [1, 2])
  })

  test('belong to the transaction they are enqueued in', async t => {
    const seen = newSeen()
    const app = await createTestApp(t, { plugins: [worker(seen)] })
    await assert.rejects(
      app.db.transaction(async trx => {
        await enqueue(seen, { n: 1 }, { trx })
        await jobOf(seen).enqueueAll(trx, [{ n: 2 }, { n: 3 }])
        throw new Error('rolled back')
      })
    )
    assert.equal(await app.drain(), 0)
    await app.db.transaction(trx => jobOf(seen).enqueueAll(trx, [{ n: 4 }, { n: 5 }]))
    assert.equal(await app.drain(), 2)
  })

  test('may wait', async t => {
    const seen = newSeen()
    const app = await createTestApp(t, { plugins: [worker(seen)] })
    await enqueue(seen, { n: 1 }, { delaySeconds: 3600 })
    assert.equal(await app.drain(), 0)
    await app.db.raw('update jobs.job set start_after = now()')
    assert.equal(await app.drain(), 1)
  })

  test('are tried again, fail for good, are listed, and are run again when somebody asks', async t => {
    const seen = newSeen()
    let broken = true
    const app = await createTestApp(t, {
      plugins: [
        worker(
          seen,
          () => {
            if (broken) throw new Error('no luck with api_key=abcdef1234567890')
          },
          { maxRetries: 2 }
        )
      ]
    })
    await enqueue(seen, { n: 7 })
    for (const attempt of [1, 2, 3]) {
      assert.equal(await app.drain(), 1, `attempt ${attempt}`)
      assert.equal(await app.drain(), 0, 'backoff')
      assert.deepEqual(
        [seen.contexts.at(-1)?.attempt, seen.contexts.at(-1)?.lastAttempt],
        [attempt, attempt === 3]
      )
      await hurry(app)
    }
    assert.equal(await app.drain(), 0)
    const { body } = (await app.call('GET', '/v1/jobs?state=failed')) as {
      body: { jobs: Record<string, unknown>[]; total_count: number }
    }
    assert.equal(body.total_count, 1)
    const [job] = body.jobs
    assert.deepEqual(
      [job?.['name'], job?.['state'], job?.['attempt'], job?.['error']],
      ['worker.count', 'failed', 3, 'no luck with api_key=[redacted]']
    )
    assert.ok(!JSON.stringify(body).includes('"n"'), 'payloads stay inside')
    broken = false
    const retried = (await app.call('POST', `/v1/jobs/${String(job?.['id'])}/retry`)) as {
      status: number
      body: Record<string, unknown>
    }
    assert.deepEqual([retried.status, retried.body['name']], [202, 'worker.count'])
    await hurry(app)
    assert.equal(await app.drain(), 1)
    assert.deepEqual(seen.ran, [7])
    assert.equal((await app.call('POST', `/v1/jobs/${String(job?.['id'])}/retry`)).status, 404)
    assert.equal(
      ((await app.call('GET', '/v1/jobs?state=completed')) as { body: { total_count: number } })
        .body.total_count,
      1
    )
  })

  test('may end their retries, in the transaction that says why, and can still be run again', async t => {
    const seen = newSeen()
    const app = await createTestApp(t, {
      plugins: [
        worker(seen, async (n, job) => {
          if (job.attempt > 1) return
          if (n === 1) await app.db.transaction(trx => job.endRetries(trx))
          else
            await app.db
              .transaction(async trx => {
                await job.endRetries(trx)
                throw new Error('rolled back')
              })
              .catch(() => {})
          throw new Error('no repetition mends this')
        })
      ]
    })
    await enqueue(seen, { n: 1 })
    await enqueue(seen, { n: 2 })
    await app.drain()
    interface Jobs {
      readonly jobs: readonly { id: string; attempt: number; error: string }[]
      readonly total_count: number
    }
    const failed: Jobs = (await app.call('GET', '/v1/jobs?state=failed')).body
    assert.deepEqual(
      failed.jobs.map(job => [job.attempt, job.error]),
      [[1, 'no repetition mends this']]
    )
    assert.equal(((await app.call('GET', '/v1/jobs?state=retry')).body as Jobs).total_count, 1)
    assert.equal((await app.call('POST', `/v1/jobs/${failed.jobs[0]?.id}/retry`)).status, 202)
    await app.drain()
    assert.deepEqual(seen.ran, [1])
  })

  test('are listed page by page, newest first, one kind at a time', async t => {
    const seen = newSeen()
    const app = await createTestApp(t, { plugins: [worker(seen), listener('left', [])] })
    for (const n of [1, 2, 3]) await enqueue(seen, { n })
    await app.db.transaction(trx => appOf(seen).emit(trx, Happened, { n: 9 }))
    const list = async (
      query: string
    ): Promise<{ jobs: { name: string; created_at: string }[]; total_count: number }> =>
      (await app.call('GET', `/v1/jobs?${query}`)).body
    assert.equal((await list('')).total_count, 4)
    const page = await list('name=worker.count&per_page=2&page=2')
    assert.deepEqual([page.total_count, page.jobs.length], [3, 1])
    const times = (await list('name=worker.count')).jobs.map(job => job.created_at)
    assert.deepEqual(times, times.toSorted().toReversed())
  })

  test('that another attempt took over may not write', async t => {
    const seen = newSeen()
    const errors: unknown[] = []
    const app = await createTestApp(t, {
      plugins: [
        worker(seen, async (_n, context) => {
          await appOf(seen).db.transaction(trx => context.fence(trx))
          await appOf(seen).db.raw(
            'update jobs.job set retry_count = retry_count + 1 where id = ?',
            [context.id]
          )
          await appOf(seen)
            .db.transaction(trx => context.fence(trx))
            .catch((error: unknown) => {
              errors.push(error)
              throw error
            })
        })
      ]
    })
    await enqueue(seen, { n: 1 })
    await app.drain()
    assert.equal(errors.length, 1)
    assert.equal((errors[0] as { code: string }).code, 'job-lost')
    assert.deepEqual(seen.ran, [])
  })

  test('defined twice, or given a wrong payload, are refused', async t => {
    const seen = newSeen()
    await createTestApp(t, { plugins: [worker(seen)] })
    await assert.rejects(enqueue(seen, { n: 'one' as never }), { code: 'invalid-input' })
    const twice = definePlugin({
      id: 'twice',
      version: '1.0.0',
      register(app) {
        for (let i = 0; i < 2; i++) app.job('same', { payload: Number1, run: async () => {} })
      }
    })
    await assert.rejects(
      createTestApp(t, { plugins: [twice] }),
      /job 'twice\.same' is defined twice/
    )
  })

  test('on a schedule are defined once, and run', async t => {
    // A time that does not come while the test runs.
    const cron = '0 0 29 2 *'
    const ran: string[] = []
    const plugin = definePlugin({
      id: 'clock',
      version: '1.0.0',
      register(app) {
        app.schedule('tidy', cron, async ({ id }) => {
          ran.push(id)
        })
      }
    })
    const connection = await createTestDatabase(t)
    const app = await createTestApp(t, { plugins: [plugin], connection })
    await createTestApp(t, { plugins: [plugin], connection })
    const schedules = await app.jobs.boss.getSchedules()
    assert.deepEqual(
      schedules.map(each => [each.name, each.cron, each.timezone]),
      [['clock.tidy', cron, 'UTC']]
    )
    await app.jobs.boss.send('clock.tidy', {})
    assert.equal(await app.drain(), 1)
    assert.equal(ran.length, 1)
  })

  test('with a cron nobody understands abort the boot', async t => {
    const plugin = definePlugin({
      id: 'clock',
      version: '1.0.0',
      register(app) {
        app.schedule('tidy', 'every day', async () => {})
      }
    })
    await assert.rejects(createTestApp(t, { plugins: [plugin] }))
  })
})

describe('a worker', () => {
  const role = { RAYNE_ROLE: 'web,worker' }

  test('starts a new job at once, not at the next poll', async t => {
    const seen = newSeen()
    await createTestApp(t, { plugins: [worker(seen)], env: role })
    const waits: number[] = []
    for (let n = 0; n < 3; n++) {
      const started = performance.now()
      await enqueue(seen, { n })
      await eventually('the job', () => seen.ran.includes(n))
      waits.push(Math.round(performance.now() - started))
    }
    assert.ok(Math.min(...waits) < 1_000, `${waits.join(' ')} ms`)
  })

  test('drains a backlog of 500, and keeps to its concurrency', async t => {
    const connection = await createTestDatabase(t)
    const before = newSeen()
    const web = await createTestApp(t, { plugins: [worker(before)], connection })
    await web.db.transaction(trx =>
      jobOf(before).enqueueAll(
        trx,
        Array.from({ length: 500 }, (_, n) => ({ n }))
      )
    )
    const seen = newSeen()
    let [running, most] = [0, 0]
    const run = async (): Promise<void> => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setTimeout(resolve, 2))
      running -= 1
    }
    const started = performance.now()
    await createTestApp(t, {
      plugins: [worker(seen, run, { maxConcurrent: 8 })],
      env: role,
      connection
    })
    await eventually('the backlog', () => seen.ran.length >= 500, 20_000)
    assert.ok(performance.now() - started < 15_000, `${Math.round(performance.now() - started)} ms`)
    assert.equal(new Set(seen.ran).size, 500)
    assert.equal(seen.ran.length, 500)
    assert.ok(most <= 8, `${most} at once`)
  })

  test('stops a job whose time is up', async t => {
    const seen = newSeen()
    const reasons: unknown[] = []
    await createTestApp(t, {
      env: role,
      plugins: [
        worker(
          seen,
          (_n, { signal }) =>
            new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                reasons.push(signal.reason)
                reject(new Error('stopped'))
              })
            }),
          { timeoutSeconds: 1, maxRetries: 0 }
        )
      ]
    })
    await enqueue(seen, { n: 1 })
    await eventually('the end of the time', () => reasons.length > 0, 8_000)
  })

  test('finishes what is under way before it closes', async t => {
    const seen = newSeen()
    const { promise, resolve } = Promise.withResolvers<void>()
    const app = await createTestApp(t, { plugins: [worker(seen, () => promise)], env: role })
    await enqueue(seen, { n: 1 })
    await eventually('the start', () => seen.contexts.length > 0)
    const closed = app.close()
    resolve()
    await closed
    assert.deepEqual(seen.ran, [1])
  })
  test('go on when the clock is set back by months, without a timer that spins', async t => {
    const seen = newSeen()
    await createTestApp(t, { plugins: [worker(seen)], env: role })
    const warnings: Error[] = []
    const warned = (warning: Error): number => warnings.push(warning)
    process.on('warning', warned)
    t.after(() => process.off('warning', warned))
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 260 * 86_400_000 })
    for (const time of ['first', 'second']) {
      const before = await watchedAt(seen)
      await eventually(`the ${time} look`, async () => (await watchedAt(seen)) > before)
    }
    await enqueue(seen, { n: 1 })
    await eventually('the job', () => seen.ran.length === 1)
    assert.deepEqual(warnings, [])
  })
})

/** When the queue was last looked after, by the database's clock. */
const watchedAt = async (seen: Seen): Promise<string> => {
  const { rows } = await appOf(seen).db.raw(
    'select max(monitor_claim_on)::text as at from jobs.queue'
  )
  return rows[0].at ?? ''
}
