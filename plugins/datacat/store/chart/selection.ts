import type { Knex } from '../../../../core/index.ts'
import { applyFilter, applyTags, tagsOf, withoutTags, type SessionFilter } from '../filters.ts'
import { pathText } from '../states.ts'

/** By what points are told apart: a path into the current state, or the values of a tag. */
export type GroupBy =
  | { readonly kind: 'path'; readonly path: string }
  /** Without a key, the whole set of tags. */
  | { readonly kind: 'tag'; readonly key: string | null }

/**
 * Which points: of one metric, of the sessions that pass, said to be at or after `from` and
 * before `to` (epoch milliseconds).
 */
export interface Selection {
  readonly metric: string
  readonly filter: SessionFilter
  /** Only points in this unit; null = in none; undefined = in any, each for itself. */
  readonly unit: string | null | undefined
  readonly from: number | null
  readonly to: number | null
  readonly groupBy: GroupBy | null
  /** When the chart's time is up, by `performance.now()`. */
  readonly untilMs: number
  /** Only these series. */
  readonly series?: readonly number[]
}

/** Whether tags decide which points are shown, or where. */
export const asksForTags = ({ filter, groupBy }: Selection): boolean =>
  tagsOf(filter).length > 0 || groupBy?.kind === 'tag'

/** The series of one metric in the sessions that pass. */
function seriesOf(db: Knex, { metric, filter, unit }: Selection): Knex.QueryBuilder {
  const query = db('datacat_sessions as s')
    .join('datacat_series as r', 'r.session_key', 's.key')
    .where('r.name', metric)
    .where('r.points', '>', 0)
  applyFilter(query, withoutTags(filter))
  if (unit !== undefined) query.whereRaw('r.unit is not distinct from ?', [unit])
  return query
}

/** The series a selection is about, as a subquery. */
export function chosen(db: Knex, selection: Selection): Knex.QueryBuilder {
  const { filter, from, to, groupBy, series } = selection
  const query = seriesOf(db, selection).select(
    'r.id',
    'r.points',
    'r.received_at',
    's.id as session',
    's.created_at as opened_at',
    'r.minimum',
    'r.maximum',
    'r.total',
    'r.extra_weight',
    'r.weighted',
    'r.first_at',
    'r.last_at',
    'r.unit'
  )
  applyTags(query, filter)
  if (from !== null) query.where('r.last_at', '>=', from)
  if (to !== null) query.where('r.first_at', '<', to)
  if (series) query.whereIn('r.id', [...series])
  return groupBy?.kind === 'path'
    ? byPath(query, groupBy.path)
    : query.select(groupSql(db, groupBy))
}

const byPath = (query: Knex.QueryBuilder, path: string): Knex.QueryBuilder =>
  query
    .leftJoin('datacat_state_values as g', join => {
      join
        .on('g.session_key', 's.key')
        .andOnVal('g.path', pathText(path))
        .andOnVal('g.current', true)
        .andOnVal('g.element', false)
    })
    .select('g.value as grp')

function groupSql(db: Knex, groupBy: Exclude<GroupBy, { kind: 'path' }> | null): Knex.Raw {
  if (groupBy === null) return db.raw('null::text as grp')
  if (groupBy.key === null) return db.raw("nullif(array_to_string(r.tags, ', '), '') as grp")
  const prefix = `${groupBy.key}:`
  return db.raw(
    `(
      select string_agg(substr(t, length(?) + 1), ', ' order by t)
      from unnest(r.tags) t
      where starts_with(t, ?)
    ) as grp`,
    [prefix, prefix]
  )
}

/** Whether the metric has series whose tags are not told apart. */
export async function hasMixed(db: Knex, selection: Selection): Promise<boolean> {
  const found: unknown = await seriesOf(db, selection).where('r.mixed', true).first('r.id')
  return found !== undefined
}

/** Begins a query over the chosen series, which it calls `c`; takes the bindings of `bindings`. */
export const seriesCte = `
  with c as materialized (
    select id, points as count, received_at, session, opened_at, unit, grp
    from :chosen as chosen
  )`

const whole = Number.MAX_SAFE_INTEGER

/** What `seriesCte` and `parts` ask for, and the caller's own. */
export const bindings = <T extends Knex.ValueDict>(db: Knex, selection: Selection, own: T) => ({
  chosen: chosen(db, selection),
  from: selection.from ?? -whole,
  to: selection.to ?? whole,
  ...own
})
