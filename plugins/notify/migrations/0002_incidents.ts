import type { Migration } from '../../../core/index.ts'

/** A thread is an incident's; those of before are over. What an analysis found and what a channel said last is kept. */
export const incidents: Migration = {
  name: '0002_incidents',
  up: trx =>
    trx.raw(`
    update notify_threads set closed_at = now() where closed_at is null;
    alter table notify_threads drop column alerts, add column cause jsonb;
    alter table notify_posts add column state text;
    alter table notify_deliveries add column calms boolean not null default false`)
}
