import type { Migration } from '../../../core/index.ts'

/**
 * Analyses that people ask for, steps and orders. What was asked is in `settings`; a verdict is a column, so that a
 * list need not open every report.
 */
export const requests: Migration = {
  name: '0002_requests',
  up: trx =>
    trx.raw(`
    alter table rca_analyses
      alter column event_id drop not null,
      add column requested_by text,
      add column settings jsonb not null default '{}',
      add column rerun_of uuid references rca_analyses (id) on delete set null,
      add column verdict text,
      drop constraint rca_analyses_status_check,
      add constraint rca_analyses_status_check
        check (status in ('pending', 'running', 'done', 'failed', 'cancelled'));
    update rca_analyses set verdict = report ->> 'verdict' where report is not null;
    create index rca_analyses_monitor on rca_analyses ((alert ->> 'monitor_id'), number);
    create index rca_analyses_service on rca_analyses ((alert ->> 'service'), number);
    create index rca_analyses_account on rca_analyses (account, number);
    create table rca_steps (
      id bigint generated always as identity primary key,
      analysis_id uuid not null references rca_analyses (id) on delete cascade,
      attempt integer not null,
      at timestamptz not null,
      kind text not null,
      text text not null
    );
    create index rca_steps_analysis on rca_steps (analysis_id, id);
    create table rca_orders (
      id bigint generated always as identity primary key,
      analysis_id uuid not null references rca_analyses (id) on delete cascade,
      text text not null,
      given_by text not null,
      given_at timestamptz not null default now(),
      taken_at timestamptz
    );
    create index rca_orders_analysis on rca_orders (analysis_id, id)`)
}
