import type { Knex } from '../../../core/index.ts'
import { withinList } from './patience.ts'
import { pathText } from './states.ts'

const columns = ['product', 'version', 'machine_id', 'hostname'] as const
const isColumn = (name: string): name is (typeof columns)[number] =>
  (columns as readonly string[]).includes(name)
// Words people say for the lists of the catalogue.
const lists: Readonly<Record<string, string>> = {
  products: 'product',
  versions: 'version',
  machines: 'machine_id',
  hostnames: 'hostname'
}

// Rows of a deleted session stay until they are purged; nobody may see them.
const seen = (db: Knex, of: string): Knex.QueryBuilder =>
  db('datacat_sessions as s').select(db.raw('1')).whereRaw('s.key = ??.session_key', [of])

const pathsSql = `
  with recursive paths as (
    (select path from datacat_state_values order by path limit 1)
    union all
    select (
      select v.path
      from datacat_state_values v
      where v.path > p.path
      order by v.path
      limit 1
    )
    from paths p
    where p.path is not null
  )
  select path
  from paths p
  where path is not null
    and exists (
      select 1
      from datacat_state_values v
      join datacat_sessions s on s.key = v.session_key
      where v.path = p.path and v.current
    )
  limit ?`
const tagsSql = `
  select distinct unnest(r.tags) as tag
  from datacat_series r
  where cardinality(r.tags) > 0
    and exists (select 1 from datacat_sessions s where s.key = r.session_key)`
const tagKeysSql = `
  select distinct case when strpos(tag, ':') > 1 then split_part(tag, ':', 1) else '' end as key
  from (${tagsSql}) tags
  order by key
  limit ?`
const tagKeyOf = (key: string): string => `tag:${key}`

/** Whole tags, or with a key the values behind it. */
async function tagValues(db: Knex, key: string, limit: number): Promise<string[]> {
  const prefix = key === '' ? '' : `${key}:`
  const { rows } = await withinList(
    db.raw<{ rows: { value: string }[] }>(
      `select distinct substr(tag, length(?) + 1) as value
    from (${tagsSql}) tags
    where starts_with(tag, ?)
    order by value
    limit ?`,
      [prefix, prefix, limit]
    )
  )
  return rows.map(row => row.value)
}

/** SQL that lists what there is to choose from. */
export const catalogueStore = {
  /** Values of a column, names of metrics, ids of sessions (newest first), or current values of a state path. */
  async values(db: Knex, of: string, limit: number): Promise<string[]> {
    const name = (Object.hasOwn(lists, of) ? lists[of] : undefined) ?? of
    if (isColumn(name))
      return withinList<string[]>(
        db('datacat_sessions')
          .distinct(name)
          .whereNotNull(name)
          .orderBy(name)
          .limit(limit)
          .pluck(name)
      )
    if (name === 'metrics')
      return withinList<string[]>(
        db('datacat_series as r')
          .distinct('r.name')
          .where('r.points', '>', 0)
          .whereExists(seen(db, 'r'))
          .orderBy('r.name')
          .limit(limit)
          .pluck('r.name')
      )
    if (name === 'tag' || name.startsWith('tag:'))
      return tagValues(db, name.slice('tag:'.length), limit)
    if (name === 'sessions')
      return db('datacat_sessions').orderBy('key', 'desc').limit(limit).pluck('id')
    return withinList<string[]>(
      db('datacat_state_values as v')
        .distinct('v.value')
        .where({ 'v.path': pathText(name), 'v.current': true, 'v.element': false })
        .whereExists(seen(db, 'v'))
        .orderBy('v.value')
        .limit(limit)
        .pluck('v.value')
    )
  },

  /** `tag`, and `tag:KEY` for what stands before the first colon of a tag. */
  async tagKeys(db: Knex, limit: number): Promise<string[]> {
    const { rows } = await withinList(db.raw<{ rows: { key: string }[] }>(tagKeysSql, [limit]))
    const keys = rows.map(row => row.key)
    return keys.length === 0 ? [] : ['tag', ...keys.filter(key => key !== '').map(tagKeyOf)]
  },

  /** State paths that have a value now; a skip scan, since there are many rows a path. */
  async paths(db: Knex, limit: number): Promise<string[]> {
    const { rows } = await withinList(db.raw<{ rows: { path: string }[] }>(pathsSql, [limit]))
    return rows.map(row => row.path)
  }
}
