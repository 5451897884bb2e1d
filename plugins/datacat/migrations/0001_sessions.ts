import type { Migration } from '../../../core/index.ts'

const sql = `
create table datacat_sessions (
  key bigint generated always as identity primary key,
  id uuid not null unique,
  created_at bigint not null,
  updated_at bigint not null,
  ended_at bigint,
  active boolean not null default true,
  condition text not null default 'ok',
  ever_hung boolean not null default false,
  points bigint not null default 0,
  events bigint not null default 0,
  states bigint not null default 0,
  product text,
  version text,
  machine_id text,
  hostname text
) with (fillfactor = 50);
create index datacat_sessions_created on datacat_sessions (created_at);
create index datacat_sessions_product on datacat_sessions (product, version);
create index datacat_sessions_machine on datacat_sessions (machine_id)
  where machine_id is not null;

create table datacat_heartbeats (
  session_key bigint primary key,
  last_at bigint not null,
  hung_after_ms bigint not null,
  crashed_after_ms bigint not null,
  condition text not null default 'ok'
) with (fillfactor = 50);

create table datacat_batches (
  session_key bigint not null,
  key text not null,
  received_at bigint not null,
  accepted integer not null,
  primary key (session_key, key)
);
create index datacat_batches_received on datacat_batches using brin (received_at);

create table datacat_current_states (
  session_key bigint primary key,
  state text not null
) with (fillfactor = 70);
create table datacat_states (
  session_key bigint not null,
  n bigint not null,
  at bigint not null,
  received_at bigint not null,
  patch text not null,
  snapshot text,
  primary key (session_key, n)
);
create table datacat_state_values (
  session_key bigint not null,
  path text not null,
  element boolean not null,
  hash uuid not null,
  value text not null,
  current boolean not null,
  first_at bigint not null,
  primary key (session_key, path, element, hash)
);
create index datacat_state_values_lookup
  on datacat_state_values (path, hash, element, session_key)`

/**
 * Sessions and what changes with every write are small rows with room beside them, so that an
 * update stays in its page; all times are epoch milliseconds.
 */
export const sessions: Migration = {
  name: '0001_sessions',
  up: trx => trx.raw(sql)
}
