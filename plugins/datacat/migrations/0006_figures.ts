import type { Migration } from '../../../core/index.ts'

const tables = `
alter table datacat_series
  drop constraint datacat_series_session_key_name_key,
  add column labels uuid,
  add column tags text[] not null default '{}',
  add column mixed boolean not null default false,
  add column weighted boolean not null default false,
  add column extra_weight double precision not null default 0,
  add column last_ordinal bigint;
update datacat_series set labels = md5(coalesce(unit, '') || '|mixed')::uuid, mixed = true;
alter table datacat_series
  alter column labels set not null,
  add unique (session_key, name, labels);
create index datacat_series_tags on datacat_series using gin (tags)
  where cardinality(tags) > 0;

alter table datacat_points
  add column sample double precision,
  add column weight double precision;
alter table datacat_rollups add column weight double precision;`

const parameters = `
  now_ms bigint, s_id uuid[], s_points int[], s_events int[],
  r_id bigint[], r_session int[], r_count int[],
  r_min double precision[], r_max double precision[], r_sum double precision[],
  r_extra double precision[], r_weighted boolean[],
  r_last double precision[], r_ordinal int[], r_from bigint[], r_to bigint[],
  p_series int[], p_k int[], p_o int[], p_at bigint[],
  p_value double precision[], p_sample double precision[], p_weight double precision[],
  p_tags text[], p_extra text[],
  e_session int[], e_o int[], e_at bigint[],
  e_name text[], e_level text[], e_data text[], e_extra text[]`

const sessions = `
  with asked as (
      select * from unnest(s_id, s_points, s_events) with ordinality as a(id, points, events, i)
    ),
    moved as (
      update datacat_sessions s
      set points = s.points + a.points,
        events = s.events + a.events,
        updated_at = greatest(now_ms, s.updated_at)
      from asked a
      where s.id = a.id
      returning a.i, s.key, s.points - a.points as points, s.events - a.events as events
    )
  select array_agg(i order by i),
    array_agg(key order by i),
    array_agg(points order by i),
    array_agg(events order by i)
  into found, keys, point_bases, event_bases
  from moved;
  if coalesce(cardinality(found), 0) < cardinality(s_id) then
    select array_agg(f.key order by a.i),
      array_agg(f.points order by a.i),
      array_agg(f.events order by a.i)
    into keys, point_bases, event_bases
    from generate_subscripts(s_id, 1) a(i)
    left join unnest(found, keys, point_bases, event_bases) as f(i, key, points, events)
      on f.i = a.i;
  end if;`

const series = `
    with moved as (
      update datacat_series s
      set points = s.points + a.count,
        minimum = least(s.minimum, a.min),
        maximum = greatest(s.maximum, a.max),
        total = s.total + a.sum,
        extra_weight = s.extra_weight + coalesce(a.extra, 0),
        weighted = s.weighted or coalesce(a.weighted, false),
        last = a.last,
        last_ordinal = point_bases[a.session] + a.ordinal,
        first_at = least(s.first_at, a.from_at),
        last_at = greatest(s.last_at, a.to_at),
        received_at = least(s.received_at, now_ms)
      from unnest(
          r_id, r_session, r_count, r_min, r_max, r_sum, r_extra, r_weighted,
          r_last, r_ordinal, r_from, r_to
        ) with ordinality as a(
          id, session, count, min, max, sum, extra, weighted, last, ordinal, from_at, to_at, i
        )
      where s.id = a.id and s.session_key = keys[a.session]
      returning a.i, a.count, s.points - a.count as base, s.received_at as birth
    )
    select array_agg(i order by i),
      array_agg(base order by i),
      array_agg(birth order by i),
      array[
        max(((base + count) >> 6) - (base >> 6)),
        max(((base + count) >> 12) - (base >> 12)),
        max(((base + count) >> 18) - (base >> 18))
      ]
    into found, bases, births, crossed
    from moved;
    if coalesce(cardinality(found), 0) < cardinality(r_id) then
      select array_agg(f.base order by a.i), array_agg(f.birth order by a.i)
      into bases, births
      from generate_subscripts(r_id, 1) a(i)
      left join unnest(found, bases, births) as f(i, base, birth) on f.i = a.i;
      if exists (
        select from unnest(r_session, bases) as a(session, base)
        where a.base is null and keys[a.session] is not null
      ) then
        raise exception 'a series of datacat_append belongs to another session'
          using errcode = 'RA001';
      end if;
    end if;`

const points = `
    insert into datacat_points
      (series_id, n, ordinal, received_at, at, value, sample, weight, tags, extra)
    select r_id[p.series],
      bases[p.series] + p.k,
      point_bases[r_session[p.series]] + p.o,
      now_ms,
      coalesce(p.at, now_ms),
      p.value,
      p.sample,
      p.weight,
      p.tags,
      p.extra
    from unnest(p_series, p_k, p_o, p_at, p_value, p_sample, p_weight, p_tags, p_extra)
      as p(series, k, o, at, value, sample, weight, tags, extra)
    where bases[p.series] is not null;`

const rollups = `
    if crossed[1] > 0 then
      insert into datacat_rollups
        (series_id, level, block, received_at, from_at, to_at,
          first, last, minimum, maximum, min_at, max_at, total, weight)
      select v.series_id,
        1,
        v.n >> 6,
        now_ms,
        min(v.at),
        max(v.at),
        (array_agg(v.value order by v.at, v.n))[1],
        (array_agg(v.value order by v.at desc, v.n desc))[1],
        min(v.value),
        max(v.value),
        (array_agg(v.at order by v.value, v.at))[1],
        (array_agg(v.at order by v.value desc, v.at))[1],
        sum(
          least(
            greatest(
              least(greatest(v.value, -1e290), 1e290) * coalesce(v.weight, 1),
              -1e290
            ),
            1e290
          )
        ),
        case when count(v.weight) > 0 then sum(coalesce(v.weight, 1)) end
      from (
        select p.series_id, p.n, p.at, coalesce(p.sample, p.value) as value, p.weight
        from unnest(r_id, bases, r_count, births) as a(id, base, count, birth)
        join datacat_points p
          on p.series_id = a.id
            and p.n >= a.base >> 6 << 6
            and p.n < (a.base + a.count) >> 6 << 6
            and p.received_at >= a.birth
        where (a.base + a.count) >> 6 > a.base >> 6
      ) v
      group by v.series_id, v.n >> 6;
    end if;
    for depth in 2..3 loop
      exit when coalesce(crossed[depth], 0) = 0;
      insert into datacat_rollups
        (series_id, level, block, received_at, from_at, to_at,
          first, last, minimum, maximum, min_at, max_at, total, weight)
      select r.series_id,
        depth,
        r.block >> 6,
        now_ms,
        min(r.from_at),
        max(r.to_at),
        (array_agg(r.first order by r.from_at, r.block))[1],
        (array_agg(r.last order by r.to_at desc, r.block desc))[1],
        min(r.minimum),
        max(r.maximum),
        (array_agg(r.min_at order by r.minimum, r.min_at))[1],
        (array_agg(r.max_at order by r.maximum desc, r.max_at))[1],
        sum(r.total),
        case
          when count(r.weight) > 0
          then sum(coalesce(r.weight, 1::bigint << 6 * (depth - 1)))
        end
      from unnest(r_id, bases, r_count, births) as a(id, base, count, birth)
      join datacat_rollups r
        on r.series_id = a.id
          and r.level = depth - 1
          and r.block >= a.base >> 6 * depth << 6
          and r.block < (a.base + a.count) >> 6 * depth << 6
          and r.received_at >= a.birth
      where (a.base + a.count) >> 6 * depth > a.base >> 6 * depth
      group by r.series_id, r.block >> 6;
    end loop;`

const events = `
    insert into datacat_events
      (session_key, n, received_at, at, name, level, data, extra)
    select keys[e.session],
      event_bases[e.session] + e.o,
      now_ms,
      coalesce(e.at, now_ms),
      e.name,
      e.level,
      e.data,
      e.extra
    from unnest(e_session, e_o, e_at, e_name, e_level, e_data, e_extra)
      as e(session, o, at, name, level, data, extra)
    where keys[e.session] is not null;`

const append = `
drop function datacat_append;
create function datacat_append(${parameters}
) returns boolean[] language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  found bigint[]; keys bigint[]; point_bases bigint[]; event_bases bigint[];
  bases bigint[]; births bigint[]; crossed bigint[];
begin${sessions}

  if r_id is not null then${series}
${points}
${rollups}
  end if;

  if e_session is not null then${events}
  end if;
  return (
    select array_agg(key is not null order by i)
    from unnest(keys) with ordinality as k(key, i)
  );
end $$`

/**
 * A series is one metric of one session with one unit and one set of tags (`labels` is their
 * digest), so that figures never mix units and a chart reads only what has a tag. Points that stand
 * for several samples, as those of histograms do, have a `weight`, and `sample` where one of them
 * is not the value itself; sums and averages are of samples. A series that is `mixed` has points of
 * any tags: what was stored before, and the rest of a metric with very many sets of them.
 */
export const figures: Migration = {
  name: '0006_figures',
  async up(trx) {
    await trx.raw(tables)
    await trx.raw(append)
  }
}
