import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import {
  fromKnex,
  PgBoss,
  systemClock,
  type ConstructorOptions,
  type JobResult,
  type JobWithMetadata
} from 'pg-boss'
import type { Static, TSchema } from 'typebox'
import { bootError, errorText, RayneError } from './errors.ts'
import type { Logger } from './log.ts'
import { compile } from './schema.ts'

/** What a running job knows of itself. */
export interface JobContext {
  readonly id: string
  /** 1 for the first try. */
  readonly attempt: number
  /** True when a failure of this attempt is for good: it is the last one, or `endRetries` has said so. */
  readonly lastAttempt: boolean
  /** Aborts when the job's time is up, its claim is lost, or the process closes. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Throws unless this attempt still owns the job; call it in the transaction of every side effect. */
  fence(trx: Knex.Transaction): Promise<void>
  /** Makes this attempt the last one, with the transaction; fences too. For failures that no repetition mends. */
  endRetries(trx: Knex.Transaction): Promise<void>
}

export interface JobSpec<S extends TSchema> {
  readonly payload: S
  /** Tries after the first; default 5, with backoff from 2 s to 5 min. */
  readonly retries?: number
  /** Seconds one attempt may take; default 120. */
  readonly timeoutSeconds?: number
  /** Jobs of this kind at once in one process; default 4. */
  readonly concurrency?: number
  run(payload: Static<S>, context: JobContext): Promise<void>
}

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

/** Durable jobs over pg-boss; `worker: false` enqueues and never runs. */
export function createJobs(options: {
  connection: ConstructorOptions
  log: Logger
  worker: boolean
  onFinished?: (name: string, state: 'completed' | 'failed') => void
}) {
  const { log } = options
  const boss = new PgBoss({ ...options.connection, ...quietBoss, max: 6 })
  const definitions = new Map<
    string,
    { readonly name: string; readonly spec: JobSpec<TSchema>; readonly cron?: string }
  >()
  boss.on('error', error =>
    log.warn({ error: errorText(error) }, 'job queue is in trouble; it retries by itself')
  )

  function define<S extends TSchema>(
    name: string,
    spec: JobSpec<S>,
    cron?: string
  ): JobHandle<Static<S>> {
    if (definitions.has(name)) throw bootError(`job '${name}' is defined twice`)
    const check = compile(spec.payload)
    definitions.set(name, {
      name,
      spec: spec as unknown as JobSpec<TSchema>,
      ...(cron === undefined ? {} : { cron })
    })
    const insert = async (jobs: object[], trx?: Knex.Transaction): Promise<void> => {
      if (jobs.length > 0)
        await boss.insert(name, jobs as never, trx ? { db: fromKnex(trx as never) } : {})
    }
    return {
      name,
      enqueue: async (payload, { trx, key, delaySeconds } = {}) =>
        insert(
          [
            {
              data: check(payload, name),
              ...(key === undefined ? {} : { id: keyedId(name, key) }),
              ...(delaySeconds === undefined ? {} : { startAfter: `${delaySeconds} seconds` })
            }
          ],
          trx
        ),
      enqueueAll: async (trx, payloads) =>
        insert(
          payloads.map(payload => ({ data: check(payload, name) })),
          trx
        )
    }
  }

  async function start(): Promise<void> {
    await boss.start()
    for (const { name, spec, cron } of definitions.values()) {
      await boss.createQueue(name, {
        retryLimit: spec.retries ?? 5,
        retryDelay: 2,
        retryBackoff: true,
        retryDelayMax: 300,
        expireInSeconds: spec.timeoutSeconds ?? 120,
        heartbeatSeconds: 10,
        notify: true
      })
      if (cron) await boss.schedule(name, cron, {})
    }
  }

  async function work(): Promise<void> {
    if (!options.worker) return
    for (const { name, spec } of definitions.values()) {
      const concurrency = spec.concurrency ?? 4
      // A batch of one never bursts, so a backlog would drain one job a poll.
      const batchSize = Math.max(2, Math.ceil(concurrency / 2))
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
          heartbeatRefreshSeconds: 3
        },
        (jobs: JobWithMetadata[]) => Promise.all(jobs.map(job => run(spec, job)))
      )
    }
  }

  async function run(spec: JobSpec<TSchema>, job: JobWithMetadata): Promise<JobResult> {
    const attempt = job.retryCount + 1
    const jobLog = log.child({ job: job.name, jobId: job.id, attempt })
    let isLast = job.retryCount >= job.retryLimit
    const context: JobContext = {
      id: job.id,
      attempt,
      get lastAttempt() {
        return isLast
      },
      log: jobLog,
      signal: AbortSignal.any([job.signal, AbortSignal.timeout(job.expireInSeconds * 1000)]),
      fence: trx => fence(trx, job),
      async endRetries(trx) {
        await fence(trx, job)
        await trx('jobs.job')
          .where({ name: job.name, id: job.id })
          .update({ retry_limit: job.retryCount })
        trx.executionPromise.then(
          () => (isLast = true),
          () => {}
        )
      }
    }
    try {
      await spec.run(job.data as never, context)
      options.onFinished?.(job.name, 'completed')
      return { id: job.id, status: 'completed' }
    } catch (error) {
      jobLog[context.lastAttempt ? 'error' : 'warn'](
        { error },
        context.lastAttempt
          ? 'job failed for good; `rayne jobs retry` runs it again'
          : 'job failed; it will be tried again'
      )
      options.onFinished?.(job.name, 'failed')
      return { id: job.id, status: 'failed', output: { message: errorText(error) } }
    }
  }

  return {
    define,
    start,
    work,
    /** Runs everything that is due in this process and returns how many jobs ran; for tests, with `worker: false`. */
    drain: () => drain(boss, definitions, run),
    boss,
    names: () => [...definitions.keys()],
    stop: (timeoutMs: number) => boss.stop({ graceful: true, timeout: timeoutMs, close: true })
  }
}
export type Jobs = ReturnType<typeof createJobs>

async function drain(
  boss: PgBoss,
  definitions: ReadonlyMap<string, { readonly name: string; readonly spec: JobSpec<TSchema> }>,
  run: (spec: JobSpec<TSchema>, job: JobWithMetadata) => Promise<JobResult>
): Promise<number> {
  let ran = 0
  for (let found = true; found;) {
    found = false
    for (const { name, spec } of definitions.values()) {
      const options = { batchSize: 50, includeMetadata: true }
      const jobs = (await boss.fetch(name, options)) as JobWithMetadata[]
      const waiting = new Set(jobs.map(job => job.id))
      // As a worker does: those that wait for their turn are not lost on a slow machine.
      const beat = setInterval(() => {
        if (waiting.size > 0) boss.touch(name, [...waiting]).catch(() => {})
      }, 3_000)
      for (const job of jobs) {
        found = true
        ran += 1
        Object.assign(job, { signal: job.signal ?? new AbortController().signal })
        const result = await run(spec, job)
        waiting.delete(job.id)
        if (result.status === 'completed') await boss.complete(name, job.id)
        else await boss.fail(name, job.id, result.output)
      }
      clearInterval(beat)
    }
  }
  return ran
}

/** A UUID that the same queue and key always give, so that the primary key refuses the second insert. */
function keyedId(name: string, key: string): string {
  const hex = createHash('sha256').update(`${name}\0${key}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

async function fence(trx: Knex.Transaction, job: JobWithMetadata): Promise<void> {
  const held = await trx.raw(
    "select 1 from jobs.job where name = ? and id = ? and state = 'active' and retry_count = ? for share",
    [job.name, job.id, job.retryCount]
  )
  if (held.rows.length === 0)
    throw new RayneError({
      code: 'job-lost',
      message: `job ${job.id} was taken over by another attempt`
    })
}
