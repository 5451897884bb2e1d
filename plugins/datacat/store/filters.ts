import type { Knex } from '../../../core/index.ts'
import { pathText, valueHash } from './states.ts'

export const statuses = [
  'active',
  'ended',
  'hung',
  'crashed',
  'suspended',
  'recovered',
  'ever_hung'
] as const
export type Status = (typeof statuses)[number]

/** Any of these texts, or what fits any of these LIKE patterns; `isNot` turns it round. */
export interface Match {
  readonly isNot: boolean
  readonly texts: readonly string[]
  readonly patterns: readonly string[]
}
/** A match of one text as it is. */
export const exactly = (text: string): Match => ({ isNot: false, texts: [text], patterns: [] })

export const textColumns = ['id', 'product', 'version', 'machine_id', 'hostname'] as const
export type TextColumn = (typeof textColumns)[number]
export const numberColumns = ['created_at', 'event_count', 'metric_count', 'state_count'] as const
export type NumberColumn = (typeof numberColumns)[number]

/** One question about a state: a path, its keys joined by dots, and its values as text. */
export interface StateFilter {
  readonly kind: 'state'
  readonly mode: 'current' | 'ever' | 'contains' | 'ever_contains'
  readonly path: string
  readonly match: Match
}
/** One question about the tags of metrics: the value behind `key:`, or the whole tag without a key. */
export interface TagFilter {
  readonly kind: 'tag'
  readonly key: string | null
  readonly match: Match
}
export type Condition =
  | { readonly kind: 'status'; readonly isNot: boolean; readonly statuses: readonly Status[] }
  | { readonly kind: 'text'; readonly column: TextColumn | 'status'; readonly match: Match }
  | {
      readonly kind: 'number'
      readonly column: NumberColumn
      readonly operator: '=' | '!=' | '<' | '>'
      readonly value: number
    }
  | StateFilter
  | TagFilter

/** Which sessions; everything given must hold. Times are epoch milliseconds of their creation. */
export interface SessionFilter {
  readonly where: readonly Condition[]
  readonly q?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly ids?: readonly string[] | undefined
  readonly updatedSince?: number | undefined
}

/** A piece of SQL and what it binds. */
interface Sql {
  readonly sql: string
  readonly bindings: readonly Knex.Value[]
}

const numberSql: Readonly<Record<NumberColumn, string>> = {
  created_at: 's.created_at',
  event_count: 's.events',
  metric_count: 's.points',
  state_count: 's.states'
}
const statusSql = `
  case
    when not s.active then 'ended'
    when s.condition in ('ok', 'recovered') then 'active'
    else s.condition
  end`

/** Narrows a query over `datacat_sessions as s`. */
export function applyFilter(query: Knex.QueryBuilder, filter: SessionFilter): void {
  const { q, from, to, ids, updatedSince } = filter
  if (from !== undefined) query.where('s.created_at', '>=', from)
  if (to !== undefined) query.where('s.created_at', '<', to)
  if (ids !== undefined) query.whereIn('s.id', [...ids])
  if (updatedSince !== undefined) query.where('s.updated_at', '>=', updatedSince)
  if (q !== undefined && q !== '')
    query.whereRaw(
      `(
        starts_with(s.id::text, lower(?))
        or strpos(lower(s.product), lower(?)) > 0
        or strpos(lower(s.hostname), lower(?)) > 0
        or strpos(lower(s.version), lower(?)) > 0
      )`,
      [q, q, q, q]
    )
  for (const one of filter.where) {
    const { sql, bindings } = conditionSql(one)
    query.whereRaw(sql, [...bindings])
  }
}

/** Narrows a query over `datacat_series as r` to the series that have the tags. */
export function applyTags(query: Knex.QueryBuilder, filter: SessionFilter): void {
  for (const one of tagsOf(filter)) {
    const { sql, bindings } = tagSql(one)
    query.whereRaw(one.match.isNot ? `not ${sql}` : sql, [...bindings])
  }
}

/** A chart asks its series for their tags, and not whether their session has one anywhere. */
export const withoutTags = (filter: SessionFilter): SessionFilter => ({
  ...filter,
  where: filter.where.filter(one => one.kind !== 'tag')
})
export const tagsOf = ({ where }: SessionFilter): TagFilter[] =>
  where.filter(one => one.kind === 'tag')

function conditionSql(one: Condition): Sql {
  if (one.kind === 'status') return statusCondition(one.statuses, one.isNot)
  if (one.kind === 'text') return textSql(one.column, one.match)
  if (one.kind === 'number')
    return {
      sql: `${numberSql[one.column]} ${one.operator === '!=' ? '<>' : one.operator} ?`,
      bindings: [one.value]
    }
  return one.kind === 'state' ? stateSql(one) : sessionTagSql(one)
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function textSql(column: TextColumn | 'status', match: Match): Sql {
  const { texts, patterns, isNot } = match
  if (column === 'id' && patterns.length === 0) {
    const ids = texts.filter(text => uuid.test(text))
    return { sql: `${isNot ? 'not ' : ''}s.id = any(?::uuid[])`, bindings: [ids] }
  }
  const expression =
    column === 'id' ? 's.id::text' : column === 'status' ? statusSql : `s.${column}`
  // Without more than that the database can use an index.
  if (!isNot && patterns.length === 0 && !texts.includes(''))
    return { sql: `${expression} = any(?)`, bindings: [[...texts]] }
  return matchSql(expression, match)
}

function statusCondition(wanted: readonly Status[], isNot: boolean): Sql {
  const sql = `(
    ${statusSql} = any(?)
    or (s.active and s.condition = any(?))
    or (s.ever_hung and ?)
  )`
  const bindings = [[...wanted], [...wanted], wanted.includes('ever_hung')]
  return { sql: isNot ? `not ${sql}` : sql, bindings }
}

/** What is null is the empty text, as a table shows it. */
function matchSql(expression: string, { isNot, texts, patterns }: Match): Sql {
  const text = `coalesce(${expression}, '')`
  const sql = `(${text} = any(?) or ${text} like any(?))`
  return { sql: isNot ? `not ${sql}` : sql, bindings: [[...texts], [...patterns]] }
}

function stateSql({ mode, path, match }: StateFilter): Sql {
  const { texts, patterns, isNot } = match
  const isFound = patterns.length === 0 ? 'v.hash = any(?::uuid[])' : 'v.value like any(?)'
  const sql = `exists (
    select 1
    from datacat_state_values v
    where v.path = ?
      and ${isFound}
      and v.element = ?
      and v.session_key = s.key
      ${mode.startsWith('ever') ? '' : 'and v.current'}
  )`
  const sought =
    patterns.length === 0 ? texts.map(valueHash) : [...patterns, ...texts.map(asPattern)]
  return {
    sql: isNot ? `not ${sql}` : sql,
    bindings: [pathText(path), sought, mode.endsWith('contains')]
  }
}

function sessionTagSql(one: TagFilter): Sql {
  const { sql, bindings } = tagSql(one)
  const exists = `exists (
    select 1
    from datacat_series r
    where r.session_key = s.key and r.points > 0 and ${sql}
  )`
  return { sql: one.match.isNot ? `not ${exists}` : exists, bindings }
}

/** Whether a series `r` has one of the tags, whatever `isNot` says. */
function tagSql({ key, match: { texts, patterns } }: TagFilter): Sql {
  const prefix = key === null ? '' : `${key}:`
  const tags = texts.map(text => `${prefix}${text}`)
  if (patterns.length === 0) return { sql: 'r.tags && ?::text[]', bindings: [tags] }
  const like = [...patterns.map(one => `${asPattern(prefix)}${one}`), ...tags.map(asPattern)]
  return {
    sql: '(exists (select 1 from unnest(r.tags) t where t like any(?)))',
    bindings: [like]
  }
}

/** A text as the LIKE pattern that only it fits. */
export const asPattern = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`)
