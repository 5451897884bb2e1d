import type { Knex } from 'knex'
import type { Static, TSchema } from 'typebox'
import { errorText, RayneError } from './errors.ts'
import type { Logger } from './log.ts'
import { secondMs } from './time.ts'

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

/** One kind of job: its payload, how often and how long it is tried, and what it does. */
export interface JobSpec<S extends TSchema> {
  readonly payload: S
  /** Tries after the first; default 5, with backoff from 2 s to 5 min. */
  readonly maxRetries?: number
  /** Seconds one attempt may take; default 120. */
  readonly timeoutSeconds?: number
  /** Jobs of this kind at once in one process; default 4. */
  readonly maxConcurrent?: number
  run(payload: Static<S>, context: JobContext): Promise<void>
}

export type JobOutcome = 'completed' | 'failed'

/** A job as the queue hands it to one attempt. */
export interface ClaimedJob {
  readonly id: string
  readonly name: string
  readonly data: unknown
  readonly retryCount: number
  readonly retryLimit: number
  readonly expireInSeconds: number
  readonly signal: AbortSignal
}
export interface JobResult {
  readonly id: string
  readonly status: JobOutcome
  readonly output?: { readonly message: string }
}

/** One attempt at a job; what it throws is its failure, which the queue keeps. */
export async function runJob(
  spec: JobSpec<TSchema>,
  job: ClaimedJob,
  log: Logger,
  onFinished: (name: string, outcome: JobOutcome) => void
): Promise<JobResult> {
  const jobLog = log.child({ job: job.name, jobId: job.id, attempt: job.retryCount + 1 })
  const context = contextOf(job, jobLog)
  try {
    await spec.run(job.data, context)
    onFinished(job.name, 'completed')
    return { id: job.id, status: 'completed' }
  } catch (error) {
    if (context.lastAttempt)
      jobLog.error({ error }, 'job failed for good; `rayne jobs retry` runs it again')
    else jobLog.warn({ error }, 'job failed; it will be tried again')
    onFinished(job.name, 'failed')
    return { id: job.id, status: 'failed', output: { message: errorText(error) } }
  }
}

function contextOf(job: ClaimedJob, log: Logger): JobContext {
  let isLast = job.retryCount >= job.retryLimit
  return {
    id: job.id,
    attempt: job.retryCount + 1,
    get lastAttempt() {
      return isLast
    },
    log,
    signal: AbortSignal.any([job.signal, AbortSignal.timeout(job.expireInSeconds * secondMs)]),
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
}

async function fence(trx: Knex.Transaction, job: ClaimedJob): Promise<void> {
  const held = await trx.raw(
    `select 1 from jobs.job
      where name = ? and id = ? and state = 'active' and retry_count = ?
      for share`,
    [job.name, job.id, job.retryCount]
  )
  if (held.rows.length === 0)
    throw new RayneError({
      code: 'job-lost',
      message: `job ${job.id} was taken over by another attempt`
    })
}
