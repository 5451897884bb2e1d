import type { Knex } from '../../../core/index.ts'

/** How many jobs that hand on alerts one process runs at once for each subscriber. */
export const maxConcurrentAlerts = 8

/** The SQL of the queues that hand on alerts. */
export const queueStore = {
  /** Webhooks, not jobs: one job may carry many. */
  async counts(
    db: Knex,
    queues: readonly string[]
  ): Promise<{ waiting: number; active: number; done: number; failed: number }> {
    const { rows } = await db.raw(
      `select
        coalesce(sum(events) filter (where state in ('created', 'retry')), 0)::int as waiting,
        (count(*) filter (where state = 'active'))::int as active,
        coalesce(sum(events) filter (where state = 'completed'), 0)::int as done,
        coalesce(sum(events) filter (where state = 'failed'), 0)::int as failed
      from (
        select state, case when jsonb_typeof(data->'ids') = 'array'
          then jsonb_array_length(data->'ids') else 1 end as events
        from jobs.job where name = any (?)
      ) each`,
      [[...queues]]
    )
    return rows[0]
  }
}
