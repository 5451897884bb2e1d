import { invalid, type Static } from '../../../core/index.ts'
import type { Filter } from './schemas.ts'
import type { SessionFilter, StateFilter } from '../store/filters.ts'
import { readTime } from './time.ts'

const modes = ['current', 'ever', 'contains', 'ever_contains'] as const

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
    states: modes.flatMap(mode =>
      [query[mode] ?? []].flat().map(text => readStateFilter(mode, text))
    )
  }
}

export function readStateFilter(mode: StateFilter['mode'], text: string): StateFilter {
  const at = text.indexOf('=')
  if (at < 1) throw invalid(`/query/${mode}`, 'must be path=value, e.g. application.status=running')
  return { mode, path: text.slice(0, at), value: text.slice(at + 1) }
}
