import type { Migration } from '../../../core/index.ts'

/** What is done with the events that match, and the downtimes that came of it: one live one a config and place. */
export const configs: Migration = {
  name: '0005_configs',
  up: trx =>
    trx.raw(`
    create table webhooks_configs (
      id bigint generated always as identity primary key,
      name text not null unique,
      url text not null,
      use_custom_payload boolean not null,
      custom_payload text,
      forward_urls text[] not null,
      forward_format text not null,
      auto_downtime boolean not null,
      downtime_duration_minutes integer not null,
      downtime_statuses text[] not null,
      after_recovery boolean not null,
      notify_enabled boolean not null,
      notify_numbers text[] not null,
      active boolean not null,
      accounts text[] not null,
      monitor_ids text[] not null,
      tags text[] not null,
      statuses text[] not null,
      created_at timestamptz not null default now()
    );
    create table webhooks_downtimes (
      id bigint generated always as identity primary key,
      config_id bigint not null references webhooks_configs (id) on delete cascade,
      account text not null,
      monitor_id text not null,
      scope text not null,
      minutes integer not null,
      state text not null check (state in ('wanted', 'made', 'over')),
      downtime_id text,
      created_at timestamptz not null default now()
    );
    create unique index webhooks_downtimes_live
      on webhooks_downtimes (config_id, account, monitor_id, scope)
      where state <> 'over';
    create index on webhooks_downtimes (account, monitor_id, scope)`)
}
