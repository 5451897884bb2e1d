import type { Migration } from '../../../core/index.ts'

// Any number that no other part of the program locks.
const lockKey = 7_220_116

/**
 * One call stores a flush and puts its jobs in line. Webhooks without an id of their sender's are duplicates by the
 * bytes that came within five minutes; an earlier form of these functions and of that short memory is dropped.
 */
export const oneCall: Migration = {
  name: '0003_one_call',
  async up(trx) {
    await trx.raw(recent)
    await trx.raw(store)
  }
}

const recent = `
  drop function if exists webhooks_store;
  drop function if exists webhooks_seen;
  drop function if exists webhooks_repeat;
  drop table if exists webhooks_recent;
  create table webhooks_recent (
    bytes uuid primary key,
    event_id bigint not null,
    seen_at timestamptz not null,
    problem bigint,
    transition text not null
  );
  create index on webhooks_recent (problem);
  create index on webhooks_recent (seen_at)`

/*
 * One call stores a flush. The arrays run side by side, an element for each webhook, sorted by key; those of bytes
 * come once. Where `named` is true the key is that of the sender's own id and holds for ever; else it is that of
 * the bytes, which hold for five minutes after they last came and until the same problem changes in another way.
 * The answer is a list with commas, an element for each webhook: the id of its new event, or less than zero the id of
 * the event it repeats.
 *
 * Several processes do this side by side and never wait for each other in a circle: flushes that look at bytes come
 * one after another, what is forgotten is skipped where somebody else holds it, keys and counters are taken in
 * their order.
 */
const store = `
  create function webhooks_store(
    keys uuid[], named boolean[], problems bigint[], transitions text[], accounts text[],
    received double precision[], statuses text[], monitors text[], services text[],
    headers text[], raws bytea[], times integer[], queues text[]
  ) returns text language plpgsql as $$
  declare
    many integer := cardinality(keys);
    looks boolean := false = any (named);
    ids bigint[];
    repeated bigint[] := array_fill(null::bigint, array[many]);
    fresh bigint[];
  begin
    select array_agg(nextval(pg_get_serial_sequence('webhooks_events', 'id')))
    into ids from generate_series(1, many);
    if looks then
      perform pg_advisory_xact_lock(${lockKey});
    end if;
    delete from webhooks_recent where bytes in (
      select r.bytes
      from webhooks_recent r
      join unnest(problems, transitions) as g(problem, transition)
        on r.problem = g.problem and r.transition <> g.transition
      for update of r skip locked
    );
    if looks then
      repeated := webhooks_seen(ids, keys, named, problems, transitions, received);
    end if;
    with stored as (
      insert into webhooks_events
        (id, key, account, received_at, status, monitor_id, service, duplicates, last_duplicate_at)
      select g.id, case when g.named then g.key end, g.account, to_timestamp(g.at / 1000),
        g.status, g.monitor, g.service, g.times - 1,
        case when g.times > 1 then to_timestamp(g.at / 1000) end
      from unnest(ids, keys, named, accounts, received, statuses, monitors, services, times,
        repeated) as g(id, key, named, account, at, status, monitor, service, times, repeated)
      where g.repeated is null
      on conflict (key) where key is not null do nothing
      returning id
    )
    select coalesce(array_agg(id), '{}') into fresh from stored;
    if cardinality(fresh) > 0 and cardinality(queues) > 0 then
      perform core_emit(queues, fresh);
    end if;
    if cardinality(fresh) = many then
      insert into webhooks_bodies (event_id, headers, raw)
      select g.id, g.headers::json, g.raw
      from unnest(ids, headers, raws) as g(id, headers, raw);
      return array_to_string(ids, ',');
    end if;
    insert into webhooks_bodies (event_id, headers, raw)
    select g.id, g.headers::json, g.raw
    from unnest(ids, headers, raws) as g(id, headers, raw)
    where g.id = any (fresh);
    return array_to_string(
      webhooks_repeat(ids, fresh, keys, received, headers, raws, times, repeated), ',', '0'
    );
  end $$;

  create function webhooks_seen(
    ids bigint[], keys uuid[], named boolean[], problems bigint[], transitions text[],
    received double precision[]
  ) returns bigint[] language sql as $$
    with seen as (
      insert into webhooks_recent as r (bytes, event_id, seen_at, problem, transition)
      select g.key, g.id, to_timestamp(g.at / 1000), g.problem, g.transition
      from unnest(ids, keys, named, problems, transitions, received)
        as g(id, key, named, problem, transition, at)
      where not g.named
      on conflict (bytes) do update set
        event_id = case
          when r.seen_at > excluded.seen_at - interval '5 minutes' then r.event_id
          else excluded.event_id
        end,
        seen_at = greatest(r.seen_at, excluded.seen_at)
      returning bytes, event_id
    )
    select array_agg(nullif(seen.event_id, g.id) order by g.n)
    from unnest(ids, keys, named) with ordinality as g(id, key, named, n)
    left join seen on seen.bytes = g.key and not g.named
  $$;

  create function webhooks_repeat(
    ids bigint[], fresh bigint[], keys uuid[], received double precision[], headers text[],
    raws bytea[], times integer[], repeated bigint[]
  ) returns bigint[] language plpgsql as $$
  declare
    first_ids bigint[];
  begin
    select array_agg(
      case when g.id = any (fresh) then null else coalesce(g.repeated, e.id) end order by g.n
    )
    into first_ids
    from unnest(ids, keys, repeated) with ordinality as g(id, key, repeated, n)
    left join webhooks_events e on g.repeated is null and e.key = g.key;
    perform 1 from webhooks_events where id = any (first_ids) order by id for update;
    update webhooks_events e set
      duplicates = e.duplicates + g.times,
      last_duplicate_at = greatest(e.last_duplicate_at, g.at)
    from (
      select o.first_id, sum(o.times) as times, to_timestamp(max(o.at) / 1000) as at
      from unnest(first_ids, times, received) as o(first_id, times, at)
      group by o.first_id
    ) as g
    where e.id = g.first_id;
    insert into webhooks_redeliveries (event_id, received_at, headers, raw)
    select distinct on (b.event_id, g.raw) b.event_id, to_timestamp(g.at / 1000), g.headers::json, g.raw
    from unnest(first_ids, received, headers, raws) as g(first_id, at, headers, raw)
    join webhooks_bodies b on b.event_id = g.first_id
    where b.raw <> g.raw and not exists (
      select from webhooks_redeliveries r where r.event_id = b.event_id and r.raw = g.raw
    );
    return array(
      select case when g.id = any (fresh) then g.id else -g.first_id end
      from unnest(ids, first_ids) with ordinality as g(id, first_id, n)
      order by g.n
    );
  end $$`
