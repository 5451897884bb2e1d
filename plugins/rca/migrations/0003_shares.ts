import type { Migration } from '../../../core/index.ts'

/** An analysis that a monitor's share of an hour left no room for is kept as skipped, with its reason. */
export const shares: Migration = {
  name: '0003_shares',
  up: trx =>
    trx.raw(`
    alter table rca_analyses drop constraint rca_analyses_status_check;
    alter table rca_analyses add constraint rca_analyses_status_check
      check (status in ('pending', 'running', 'done', 'failed', 'cancelled', 'skipped'));
    alter table rca_analyses add column monitor text;
    create index rca_analyses_share on rca_analyses (monitor, created_at)
      where status <> 'skipped'`)
}
