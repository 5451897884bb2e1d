import type { Migration } from '../../../core/index.ts'

/** `event_id` is unique: an alert is analysed once, however often it is delivered. */
export const analyses: Migration = {
  name: '0001_analyses',
  up: trx =>
    trx.raw(`
    create table rca_analyses (
      id uuid primary key default gen_random_uuid(),
      number bigint generated always as identity unique,
      event_id bigint not null unique,
      account text,
      alert jsonb not null,
      received_at timestamptz not null,
      status text not null default 'pending' check (status in ('pending', 'running', 'done', 'failed')),
      attempt integer not null default 0,
      report jsonb,
      notebook jsonb,
      error text,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz
    )`)
}
