import type { Migration } from './db/migrate.ts'

/**
 * `core_emit` puts one job a queue into the caller's transaction, with the ids of the rows that hold what an event
 * tells; `core_wake` wakes the workers of queues. Both speak to the tables of pg-boss as its own statements do.
 */
export const eventMigrations: readonly Migration[] = [
  {
    name: '0002_emit',
    up: trx =>
      trx.raw(`
        create function core_emit(queues text[], ids bigint[]) returns void language plpgsql as $$
        declare
          found integer;
        begin
          insert into jobs.job_common (
            name, data, policy, dead_letter, start_after, created_on, keep_until,
            expire_seconds, deletion_seconds, heartbeat_seconds,
            retry_limit, retry_delay, retry_backoff, retry_delay_max
          )
          select q.name, jsonb_build_object('ids', to_jsonb(ids)), q.policy, q.dead_letter,
            jobs.job_now(), jobs.job_now(),
            jobs.job_now() + q.retention_seconds * interval '1 second',
            q.expire_seconds, q.deletion_seconds, q.heartbeat_seconds,
            q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max
          from jobs.queue q
          where q.name = any (queues);
          get diagnostics found = row_count;
          if found <> cardinality(queues) then
            raise exception 'some of the queues % do not exist', queues;
          end if;
        end $$;
        create function core_wake(queues text[]) returns void language plpgsql as $$
        begin
          perform pg_notify('pgboss_' || left(encode(sha224('jobs'::bytea), 'hex'), 24), queue)
          from unnest(queues) as queue;
        end $$`)
  }
]
