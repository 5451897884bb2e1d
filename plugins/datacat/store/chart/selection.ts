import type { Knex } from '../../../../core/index.ts'
import { applyFilter, type SessionFilter } from '../filters.ts'
import { pathText } from '../states.ts'

/**
 * Which points: of one metric, of the sessions that pass, said to be at or after `from` and
 * before `to` (epoch milliseconds).
 */
export interface Selection {
  readonly metric: string
  readonly filter: SessionFilter
  readonly from: number | null
  readonly to: number | null
  readonly groupBy: string | null
  /** Only these series. */
  readonly series?: readonly number[]
}

/** The series a selection is about, as a subquery. */
export function chosen(
  db: Knex,
  { metric, filter, from, to, groupBy, series }: Selection
): Knex.QueryBuilder {
  const query = db('datacat_sessions as s')
    .join('datacat_series as r', 'r.session_key', 's.key')
    .where('r.name', metric)
    .where('r.points', '>', 0)
    .select(
      'r.id',
      'r.points',
      'r.received_at',
      's.id as session',
      's.created_at as opened_at',
      'r.minimum',
      'r.maximum',
      'r.total',
      'r.first_at',
      'r.last_at'
    )
  applyFilter(query, filter)
  if (from !== null) query.where('r.last_at', '>=', from)
  if (to !== null) query.where('r.first_at', '<', to)
  if (series) query.whereIn('r.id', [...series])
  if (groupBy === null) return query.select(db.raw('null::text as grp'))
  return query
    .leftJoin('datacat_state_values as g', join => {
      join
        .on('g.session_key', 's.key')
        .andOnVal('g.path', pathText(groupBy))
        .andOnVal('g.current', true)
        .andOnVal('g.element', false)
    })
    .select('g.value as grp')
}

/** Begins a query over the chosen series, which it calls `c`; takes the bindings of `bindings`. */
export const seriesCte = `
  with c as materialized (
    select id, points as count, received_at, session, opened_at, grp
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
