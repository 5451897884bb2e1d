import type { Migration } from '../../../core/index.ts'

/** Raw bytes and headers are kept, so that a better parser can be run over history. */
export const events: Migration = {
  name: '0001_events',
  up: trx => trx.raw(`
    create table webhooks_events (
      id bigint generated always as identity primary key,
      dedupe_key text not null unique,
      account text,
      received_at timestamptz not null,
      raw bytea not null,
      headers jsonb not null,
      fields jsonb not null,
      alert jsonb not null,
      monitor_id text,
      alert_status text not null,
      firing boolean not null,
      parse_error text,
      duplicates integer not null default 0,
      last_duplicate_at timestamptz
    );
    create index webhooks_events_received on webhooks_events (received_at);
    create index webhooks_events_monitor on webhooks_events (monitor_id, id)`)
}
