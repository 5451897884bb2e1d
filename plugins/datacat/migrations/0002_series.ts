import type { Migration } from '../../../core/index.ts'

const sql = `
create table datacat_series (
  id bigint generated always as identity primary key,
  session_key bigint not null,
  name text not null,
  received_at bigint not null,
  kind text not null default 'gauge',
  unit text,
  points bigint not null default 0,
  minimum double precision,
  maximum double precision,
  total double precision not null default 0,
  last double precision,
  first_at bigint,
  last_at bigint,
  unique (session_key, name)
) with (fillfactor = 50);
create index datacat_series_name on datacat_series (name, session_key);

create table datacat_points (
  series_id bigint not null,
  n bigint not null,
  ordinal bigint not null,
  received_at bigint not null,
  at bigint not null,
  value double precision not null,
  tags text,
  extra text
) partition by range (received_at);
create index datacat_points_series on datacat_points (series_id, n);

create table datacat_rollups (
  series_id bigint not null,
  block bigint not null,
  level smallint not null,
  received_at bigint not null,
  from_at bigint not null,
  to_at bigint not null,
  first double precision not null,
  last double precision not null,
  minimum double precision not null,
  maximum double precision not null,
  min_at bigint not null,
  max_at bigint not null,
  total double precision not null
) partition by range (received_at);
create index datacat_rollups_series on datacat_rollups (series_id, level, block);

create table datacat_events (
  session_key bigint not null,
  n bigint not null,
  received_at bigint not null,
  at bigint not null,
  name text not null,
  level text,
  data text not null,
  extra text
) partition by range (received_at);
create index datacat_events_session on datacat_events (session_key, n);

create function datacat_partition(period bigint) returns void language plpgsql as $$
  declare kind text;
  begin
    perform pg_advisory_xact_lock(7220116);
    foreach kind in array array['points', 'rollups', 'events'] loop
      execute format(
        'create table if not exists %I partition of %I
          for values from (%s) to (%s)
          with (autovacuum_vacuum_insert_threshold = -1)',
        'datacat_' || kind || '_' || period,
        'datacat_' || kind,
        period * 2592000000,
        (period + 1) * 2592000000
      );
    end loop;
  end $$`

/**
 * A series is one metric of one session. Points, rollups and events are partitioned by the time
 * they were received, since a client's own clock may say anything; a rollup of level L holds 64^L
 * neighbouring points and never changes. Rows that are only inserted and later dropped by the
 * table need no vacuum for being inserted: it took half a core beside the ingest.
 */
export const series: Migration = {
  name: '0002_series',
  up: trx => trx.raw(sql)
}
