import { errorText, Type, type JobHandle, type Knex, type PluginApp } from '../../core/index.ts'
import { keepTo, purgeSession } from './service/retention.ts'
import { maxChartMs } from './store/chart/ask.ts'
import { readBucketsAndEnds } from './store/chart/buckets.ts'
import { ensurePartitions } from './store/partitions.ts'

const sweepMs = 250

/** Durable work: rows of deleted sessions go, and each night what is too old. */
export function purgeJob(
  app: PluginApp<{ retention_days: number }>
): JobHandle<{ sessionKey: number }> {
  const purge = app.job('purge', {
    payload: Type.Object({ sessionKey: Type.Integer() }),
    timeoutSeconds: 600,
    maxConcurrent: 2,
    run: ({ sessionKey }, { signal }) => purgeSession(app.db, sessionKey, signal)
  })
  app.schedule('retain', '17 3 * * *', async ({ log }) => {
    await keepTo(app.db, app.config.retention_days, purge, log)
  })
  return purge
}

/**
 * Sees that there is a place for rows, and looks four times a second for sessions that went
 * silent.
 */
export function watchHeartbeats(
  app: PluginApp<unknown>,
  { sweep }: { sweep(): Promise<unknown> }
): void {
  let sweeping: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let isQuiet = true
  // A database that is away is told once, not four times a second.
  const tellOnce = (error: unknown): void => {
    const told = 'heartbeats cannot be judged now; it goes on by itself'
    if (isQuiet) app.log.warn({ error: errorText(error) }, told)
    isQuiet = false
  }
  const run = async (): Promise<void> => {
    await sweep().then(() => {
      isQuiet = true
    }, tellOnce)
    timer = setTimeout(() => {
      sweeping = run()
    }, sweepMs)
  }
  app.onReady(async () => {
    await ensurePartitions(app.db, Date.now())
    await warmUp(app.db).catch((error: unknown) =>
      app.log.warn({ error: errorText(error) }, 'the first chart will take longer')
    )
    sweeping = run()
  })
  app.onClose(async () => {
    clearTimeout(timer)
    await sweeping
    clearTimeout(timer)
  })
}

/** The first chart after a start would wait for what PostgreSQL must read of its own to plan it. */
const warmUp = (db: Knex): Promise<unknown> =>
  readBucketsAndEnds(
    db,
    {
      metric: '',
      filter: { where: [] },
      unit: undefined,
      from: null,
      to: null,
      groupBy: null,
      untilMs: performance.now() + maxChartMs
    },
    1,
    { from: 0, to: 1, count: 1 }
  )
