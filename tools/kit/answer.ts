import { Type, type TObject } from '../../core/index.ts'
import type { Asked } from '../../plugins/datadog-proxy/contract.ts'

/** What a reading tool found, before it is said in the words all of them share. */
export interface Found<R> {
  readonly rows: readonly R[]
  readonly truncated: boolean
  /** Absent when the source does not count. */
  readonly total?: number
  readonly warnings: readonly string[]
  readonly asked: Pick<Asked, 'query' | 'from' | 'to' | 'tier'>
  /** The page of Datadog that shows the same. */
  readonly link?: string
  /** What to try when there are no rows. */
  readonly whenEmpty?: string
}

const textOrNull = Type.Union([Type.String(), Type.Null()])

/** What every reading tool answers. */
export const saidFields = <R extends TObject>(row: R) => ({
  asked: Type.String(),
  window: Type.Union([Type.Object({ from: Type.String(), to: Type.String() }), Type.Null()]),
  rows: Type.Array(row),
  total: Type.Union([Type.Integer(), Type.Null()]),
  truncated: Type.Boolean(),
  note: textOrNull,
  link: textOrNull
})

/** The answer of a reading tool that asks no Datadog account. */
export const rowsAnswer = <R extends TObject>(row: R) => Type.Object(saidFields(row))

/** What was found, with its absolute window, how many there are, and why there are no more. */
export function saidOf<R>(found: Found<R>) {
  const { asked, rows, total, truncated, link } = found
  const { from, to, query } = asked
  return {
    asked: query,
    window: from === undefined || to === undefined ? null : { from, to },
    rows: [...rows],
    total: total ?? (truncated ? null : rows.length),
    truncated,
    note: noteOf(found),
    link: link ?? null
  }
}

function noteOf({ asked, rows, total, truncated, warnings, whenEmpty }: Found<unknown>) {
  const { from, to, tier, query } = asked
  const when = from === undefined || to === undefined ? '' : ` from ${from} to ${to}`
  const where = tier === undefined ? '' : `, tier: ${tier}`
  const notes = [...warnings]
  if (rows.length === 0)
    notes.push(`answered: nothing matches \`${query.slice(0, 300)}\`${when}${where}`)
  if (rows.length === 0 && whenEmpty !== undefined) notes.push(whenEmpty)
  if (truncated && total === undefined)
    notes.push(`more than the ${rows.length} rows shown exist, how many is not known`)
  if (truncated && total !== undefined) notes.push(`${rows.length} of ${total} rows are shown`)
  return notes.length === 0 ? null : notes.join('; ')
}
