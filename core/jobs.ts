import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import {
  fromKnex,
  PgBoss,
  systemClock,
  type ConstructorOptions,
  type JobInsert,
  type JobWithMetadata
} from 'pg-boss'
import type { Static, TSchema } from 'typebox'
import { bootError, errorText } from './errors.ts'
import type { Logger } from './log.ts'
import { runJob, type JobOutcome, type JobSpec } from './run-job.ts'
import { compile, type Validator } from './schema.ts'
import { secondMs } from './time.ts'

/** What puts jobs of one kind in line. */
export interface JobHandle<P> {
  readonly name: string
  /** Enqueues one job; with a `key`, at most one job of that key ever exists while its row is kept (7 days). */
  enqueue(
    payload: P,
    options?: {
      readonly trx?: Knex.Transaction
      readonly key?: string
      readonly delaySeconds?: number
    }
  ): Promise<void>
  enqueueAll(trx: Knex.Transaction, payloads: readonly P[]): Promise<void>
}

const quietBoss = {
  application_name: 'rayne-jobs',
  schema: 'jobs',
  useListenNotify: true,
  superviseIntervalSeconds: 2,
  monitorIntervalSeconds: 2,
  queueCacheIntervalSeconds: 3,
  clockMonitorIntervalSeconds: 600,
  monitorVacuum: false,
  // By the wall clock a date set back by weeks would be waited for, in a timer that overflows and spins.
  clock: { ...systemClock, now: () => performance.timeOrigin + performance.now() }
} as const

const heartbeatRefreshSeconds = 3

interface Definition {
  readonly name: string
  readonly spec: JobSpec<TSchema>
  /** Five fields, UTC. */
  readonly cron?: string | undefined
}

/** Durable jobs over pg-boss; `worker: false` enqueues and never runs. */
export function createJobs(options: {
  readonly connection: ConstructorOptions
  readonly log: Logger
  readonly worker: boolean
  readonly onFinished: (name: string, outcome: JobOutcome) => void
}) {
  const { log, onFinished } = options
  const boss = new PgBoss({ ...options.connection, ...quietBoss, max: 6 })
  const definitions = new Map<string, Definition>()
  boss.on('error', error =>
    log.warn({ error: errorText(error) }, 'job queue is in trouble; it retries by itself')
  )
  const run = (spec: JobSpec<TSchema>, job: JobWithMetadata) => runJob(spec, job, log, onFinished)

  function define<S extends TSchema>(
    name: string,
    spec: JobSpec<S>,
    cron?: string
  ): JobHandle<Static<S>> {
    if (definitions.has(name)) throw bootError(`job '${name}' is defined twice`)
    definitions.set(name, { name, spec, cron })
    return createHandle(boss, name, compile(spec.payload))
  }

  return {
    define,
    boss,
    async start(): Promise<void> {
      await boss.start()
      for (const definition of definitions.values()) await createQueue(boss, definition)
    },
    async work(): Promise<void> {
      if (!options.worker) return
      for (const definition of definitions.values()) await work(boss, definition, run)
    },
    /** Runs everything that is due in this process and returns how many jobs ran; for tests, with `worker: false`. */
    async drain(): Promise<number> {
      let ran = 0
      for (let found = -1; found !== 0; ran += found) {
        found = 0
        for (const definition of definitions.values()) found += await drain(boss, definition, run)
      }
      return ran
    },
    stop: (timeoutMs: number) => boss.stop({ graceful: true, timeout: timeoutMs, close: true })
  }
}
export type Jobs = ReturnType<typeof createJobs>

function createHandle<P>(boss: PgBoss, name: string, check: Validator<P>): JobHandle<P> {
  const insert = async (jobs: JobInsert[], trx?: Knex.Transaction): Promise<void> => {
    if (jobs.length === 0) return
    await boss.insert(name, jobs, trx ? { db: inTransaction(trx) } : {})
  }
  return {
    name,
    enqueue: async (payload, { trx, key, delaySeconds } = {}) =>
      insert(
        [
          {
            data: check(payload, name) as object,
            ...(key === undefined ? {} : { id: keyedId(name, key) }),
            ...(delaySeconds === undefined ? {} : { startAfter: `${delaySeconds} seconds` })
          }
        ],
        trx
      ),
    enqueueAll: async (trx, payloads) =>
      insert(
        payloads.map(payload => ({ data: check(payload, name) as object })),
        trx
      )
  }
}

/** The queue's own statements in the caller's transaction. */
const inTransaction = (trx: Knex.Transaction) =>
  fromKnex({
    raw: async (sql, bindings = []) => trx.raw(sql, bindings as readonly Knex.RawBinding[])
  })

async function createQueue(boss: PgBoss, { name, spec, cron }: Definition): Promise<void> {
  await boss.createQueue(name, {
    retryLimit: spec.maxRetries ?? 5,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 300,
    expireInSeconds: spec.timeoutSeconds ?? 120,
    heartbeatSeconds: 10,
    notify: true
  })
  if (cron) await boss.schedule(name, cron, {})
}

type Run = (spec: JobSpec<TSchema>, job: JobWithMetadata) => ReturnType<typeof runJob>

async function work(boss: PgBoss, { name, spec }: Definition, run: Run): Promise<void> {
  // A batch of one never bursts, so a backlog would drain one job a poll.
  const batchSize = Math.max(2, Math.ceil((spec.maxConcurrent ?? 4) / 2))
  await boss.work(
    name,
    {
      includeMetadata: true,
      perJobResults: true,
      batchSize,
      localConcurrency: 2,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 2,
      notifyPollingIntervalSeconds: 2,
      heartbeatRefreshSeconds
    },
    (jobs: JobWithMetadata[]) => Promise.all(jobs.map(job => run(spec, job)))
  )
}

async function drain(boss: PgBoss, { name, spec }: Definition, run: Run): Promise<number> {
  const jobs = await boss.fetch<object>(name, { batchSize: 50, includeMetadata: true })
  const held = new Set(jobs.map(job => job.id))
  const beat = setInterval(() => {
    // A beat that is missed is made up by the next one, or the job is lost and its fence says so.
    boss.touch(name, [...held]).catch(() => {})
  }, heartbeatRefreshSeconds * secondMs)
  try {
    for (const job of jobs) {
      // A job that was fetched by hand has no signal of a worker.
      Object.assign(job, { signal: job.signal ?? new AbortController().signal })
      const result = await run(spec, job)
      held.delete(job.id)
      if (result.status === 'completed') await boss.complete(name, job.id)
      else await boss.fail(name, job.id, result.output)
    }
  } finally {
    clearInterval(beat)
  }
  return jobs.length
}

/** A UUID that the same queue and key always give, so that the primary key refuses the second insert. */
function keyedId(name: string, key: string): string {
  const hex = createHash('sha256').update(`${name}\0${key}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
