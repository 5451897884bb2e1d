import type { Migration } from '../../../core/index.ts'

/**
 * An incident is one problem while it lasts; its members are the monitors and scopes that fire with it; an
 * occurrence is one alert or recovery of a member. A recovery whose alert has not come yet has no member.
 */
export const incidents: Migration = {
  name: '0004_incidents',
  up: trx => trx.raw(`${tables};${indexes};${hear}`)
}

const tables = `
  create table webhooks_incidents (
    id bigint generated always as identity primary key,
    account text,
    event_id bigint not null,
    title text not null,
    monitor_id text,
    service text,
    host text,
    env text,
    severity integer not null,
    state text not null check (state in ('open', 'closed', 'merged')),
    merged_into bigint,
    would_merge_into bigint,
    would_merge_why text,
    opened_at timestamptz not null,
    changed_at timestamptz not null,
    settles_at timestamptz,
    settled_at timestamptz,
    closed_at timestamptz,
    closed_by text,
    acknowledged_at timestamptz,
    acknowledged_by text,
    assigned_to text,
    flaps integer not null default 0,
    revision integer not null default 1,
    is_split boolean not null default false
  );
  create table webhooks_members (
    id bigint generated always as identity primary key,
    incident_id bigint not null references webhooks_incidents (id) on delete cascade,
    problem uuid not null,
    monitor uuid not null,
    on_host uuid,
    of_service uuid,
    title text not null,
    monitor_id text,
    scope text,
    service text,
    host text,
    severity integer not null,
    firing boolean not null,
    cycle text,
    fired_at timestamptz not null,
    fired_timed boolean not null,
    recovered_at timestamptz,
    recovered_timed boolean,
    joined_at timestamptz not null,
    last_at timestamptz not null,
    first_event_id bigint not null,
    last_event_id bigint not null,
    occurrences integer not null default 0,
    flaps integer not null default 0,
    rule text not null,
    why text not null
  );
  create table webhooks_occurrences (
    event_id bigint primary key,
    member_id bigint references webhooks_members (id) on delete cascade,
    problem uuid not null,
    firing boolean not null,
    cycle text,
    at timestamptz not null,
    timed boolean not null,
    received_at timestamptz not null
  );
  create table webhooks_incident_log (
    id bigint generated always as identity primary key,
    incident_id bigint not null references webhooks_incidents (id) on delete cascade,
    at timestamptz not null default now(),
    kind text not null,
    by text,
    text text not null
  )`

const indexes = `
  create index on webhooks_incidents (state, id);
  create index on webhooks_members (problem, id);
  create index on webhooks_members (monitor, joined_at);
  create index on webhooks_members (on_host, joined_at) where on_host is not null;
  create index on webhooks_members (of_service, joined_at) where of_service is not null;
  create index on webhooks_members (incident_id, id);
  create index on webhooks_occurrences (member_id);
  create index on webhooks_occurrences (problem) where member_id is null;
  create index on webhooks_incident_log (incident_id, id)`

// One call finds what an alert may be part of; who hears of a problem comes after whoever does so at the same time.
const hear = `
  create function webhooks_hear(heard uuid, event bigint)
  returns table (is_counted boolean, early json, member webhooks_members)
  language plpgsql as $$
  begin
    perform pg_advisory_xact_lock(hashtextextended(heard::text, 7220118));
    return query select
      exists (select from webhooks_occurrences o where o.event_id = event),
      (
        select json_agg(json_build_object(
          'eventId', e.event_id, 'cycle', e.cycle, 'timed', e.timed,
          'at', extract(epoch from e.at) * 1000,
          'receivedAt', extract(epoch from e.received_at) * 1000
        ))
        from (
          select * from webhooks_occurrences o
          where o.problem = heard and o.member_id is null and not o.firing
          order by o.received_at desc limit 20
        ) e
      ),
      (select m from webhooks_members m where m.problem = heard order by m.id desc limit 1);
  end $$`
