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
/** One question about a state: a path, its keys joined by dots, and a value as text. */
export interface StateFilter {
  readonly mode: 'current' | 'ever' | 'contains' | 'ever_contains'
  readonly path: string
  readonly value: string
}
/** Which sessions; everything given must hold. Times are epoch milliseconds of their creation. */
export interface SessionFilter {
  readonly status?: Status | undefined
  readonly product?: string | undefined
  readonly version?: string | undefined
  readonly machineId?: string | undefined
  readonly q?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly ids?: readonly string[] | undefined
  readonly updatedSince?: number | undefined
  readonly states: readonly StateFilter[]
}

/** Narrows a query over `datacat_sessions as s`. */
export function applyFilter(query: Knex.QueryBuilder, filter: SessionFilter): void {
  const { status, product, version, machineId, q, from, to, ids, updatedSince } = filter
  if (status === 'active') query.where('s.active', true).whereIn('s.condition', ['ok', 'recovered'])
  else if (status === 'ended') query.where('s.active', false)
  else if (status === 'ever_hung') query.where('s.ever_hung', true)
  else if (status !== undefined) query.where('s.active', true).where('s.condition', status)
  if (product !== undefined) query.where('s.product', product)
  if (version !== undefined) query.where('s.version', version)
  if (machineId !== undefined) query.where('s.machine_id', machineId)
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
  for (const one of filter.states) {
    query.whereRaw(
      `exists (
        select 1
        from datacat_state_values v
        where v.path = ?
          and v.hash = ?
          and v.element = ?
          and v.session_key = s.key
          ${one.mode.startsWith('ever') ? '' : 'and v.current'}
      )`,
      [pathText(one.path), valueHash(one.value), one.mode.endsWith('contains')]
    )
  }
}
