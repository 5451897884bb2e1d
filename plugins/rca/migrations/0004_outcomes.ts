import type { Migration } from '../../../core/index.ts'

/** What became of an alert, what people say of its analysis, and the signs that find it again. */
export const outcomes: Migration = {
  name: '0004_outcomes',
  up: trx =>
    trx.raw(`
    alter table rca_analyses
      add column resolved_at timestamptz,
      add column notebook_resolved_at timestamptz,
      add column signs text[];
    create index rca_analyses_signs on rca_analyses (account, number) where signs is not null;
    create table rca_recoveries (
      account text not null,
      monitor_id text not null,
      at timestamptz not null,
      primary key (account, monitor_id)
    );
    create table rca_feedback (
      id bigint generated always as identity primary key,
      analysis_id uuid not null references rca_analyses (id) on delete cascade,
      judgement text check (judgement in ('right', 'wrong')),
      cause text,
      component text,
      class text,
      note text,
      given_by text not null,
      given_at timestamptz not null default now()
    );
    create index rca_feedback_analysis on rca_feedback (analysis_id, id)`)
}
