import { invalid, type Static } from '../../../core/index.ts'
import { exactly, type Condition, type SessionFilter, type StateFilter } from '../store/filters.ts'
import type { Filter } from './schemas.ts'
import { readTime } from './time.ts'

export const stateModes = ['current', 'ever', 'contains', 'ever_contains'] as const
const columns = ['product', 'version', 'machine_id'] as const

/** The query of a list as a filter; throws a 400 that names the parameter. */
export function readFilter(query: Static<typeof Filter>): SessionFilter {
  const { status, q, from, to, tag = [] } = query
  return {
    q,
    from: from === undefined ? undefined : readTime(from, '/query/from'),
    to: to === undefined ? undefined : readTime(to, '/query/to'),
    where: [
      ...(status === undefined
        ? []
        : [{ kind: 'status', isNot: false, statuses: [status] } satisfies Condition]),
      ...columns.flatMap((column): Condition[] => {
        const text = query[column]
        return text === undefined ? [] : [{ kind: 'text', column, match: exactly(text) }]
      }),
      ...stateModes.flatMap(mode =>
        [query[mode] ?? []].flat().map(text => readStateFilter(mode, text, `/query/${mode}`))
      ),
      ...[tag].flat().map((text): Condition => ({ kind: 'tag', key: null, match: exactly(text) }))
    ]
  }
}

/** Sessions written to at or after a time; all of them without one. */
export const readSince = (since: string | undefined, pointer: string): SessionFilter => ({
  where: [],
  ...(since === undefined ? {} : { updatedSince: readTime(since, pointer) })
})

/** The two sides of `path=value`. */
export function readPathValue(text: string, pointer: string): { path: string; value: string } {
  const at = text.indexOf('=')
  if (at < 1) throw invalid(pointer, 'must be path=value, e.g. application.status=running')
  return { path: text.slice(0, at), value: text.slice(at + 1) }
}

/** `path=value` as a question about a state. */
function readStateFilter(mode: StateFilter['mode'], text: string, pointer: string): StateFilter {
  const { path, value } = readPathValue(text, pointer)
  return { kind: 'state', mode, path, match: exactly(value) }
}
