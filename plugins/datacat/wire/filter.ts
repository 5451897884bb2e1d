import { invalid, type Static } from '../../../core/index.ts'
import type { Filter } from './schemas.ts'
import type { SessionFilter, StateFilter } from '../store/filters.ts'
import { readTime } from './time.ts'

export const stateModes = ['current', 'ever', 'contains', 'ever_contains'] as const

/** The query of a list as a filter; throws a 400 that names the parameter. */
export function readFilter(query: Static<typeof Filter>): SessionFilter {
  const { status, product, version, machine_id: machineId, q, from, to } = query
  return {
    status,
    product,
    version,
    machineId,
    q,
    from: from === undefined ? undefined : readTime(from, '/query/from'),
    to: to === undefined ? undefined : readTime(to, '/query/to'),
    states: stateModes.flatMap(mode =>
      [query[mode] ?? []].flat().map(text => readStateFilter(mode, text, `/query/${mode}`))
    )
  }
}

/** Sessions written to at or after a time; all of them without one. */
export const readSince = (since: string | undefined, pointer: string): SessionFilter => ({
  states: [],
  ...(since === undefined ? {} : { updatedSince: readTime(since, pointer) })
})

/** `path=value` as a question about a state. */
export function readStateFilter(
  mode: StateFilter['mode'],
  text: string,
  pointer: string
): StateFilter {
  const at = text.indexOf('=')
  if (at < 1) throw invalid(pointer, 'must be path=value, e.g. application.status=running')
  return { mode, path: text.slice(0, at), value: text.slice(at + 1) }
}
