import type { Migration } from '../../../core/index.ts'

/**
 * Raw bytes and headers are kept, so that a better parser can be run over history; an ordinary row stays inline,
 * since compressing it costs more than the rest of the insert.
 */
export const events: Migration = {
  name: '0001_events',
  up: trx =>
    trx.raw(`
    create table webhooks_events (
      id bigint generated always as identity primary key,
      dedupe_key uuid not null unique,
      account text,
      received_at timestamptz not null,
      raw bytea not null,
      headers jsonb not null,
      fields jsonb not null,
      alert jsonb not null,
      duplicates integer not null default 0,
      last_duplicate_at timestamptz
    ) with (toast_tuple_target = 8160)`)
}
