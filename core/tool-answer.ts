import { Type, type TObject } from 'typebox'
import { invalid } from './errors.ts'
import { dayMs, epochMs, isoTime, type EpochMs } from './time.ts'

const maxWindowDays = 7

/** The window of a tool's question, in ISO times. */
export const ToolWindow = {
  from: Type.String({ format: 'date-time', description: 'ISO time, e.g. 2026-01-31T10:00:00Z' }),
  to: Type.String({ format: 'date-time', description: 'ISO time after `from`' })
}

/** Throws `invalid-input` naming the field when the window is empty or longer than 7 days. */
export function readToolWindow(input: { from: string; to: string }): {
  from: EpochMs
  to: EpochMs
} {
  const [from, to] = [Date.parse(input.from), Date.parse(input.to)]
  if (to <= from) throw invalid('/to', 'must be after `from`')
  if (to - from > maxWindowDays * dayMs)
    throw invalid('/from', `is more than ${maxWindowDays} days before \`to\``)
  return { from: epochMs(from), to: epochMs(to) }
}

/** What every reading tool answers: its absolute window, whether rows are missing, and why there are none. */
export const toolAnswer = <R extends TObject>(row: R) =>
  Type.Object({
    account: Type.String(),
    simulated: Type.Boolean(),
    asked: Type.String(),
    window: Type.Union([Type.Object({ from: Type.String(), to: Type.String() }), Type.Null()]),
    rows: Type.Array(row),
    truncated: Type.Boolean(),
    note: Type.Union([Type.String(), Type.Null()])
  })

/** What a source answered, in the words of `toolAnswer`. */
export function answerOf<T, R>(
  account: { readonly name: string; readonly simulated: boolean },
  found: {
    readonly rows: readonly T[]
    readonly truncated: boolean
    readonly warnings: readonly string[]
    readonly asked: { readonly query: string }
  },
  window: { readonly from: EpochMs; readonly to: EpochMs } | null,
  describe: (row: T) => R
) {
  const notes = [
    ...found.warnings,
    ...(found.rows.length === 0 ? ['answered: nothing matches'] : []),
    ...(found.truncated ? [`more than the ${found.rows.length} rows shown exist`] : [])
  ]
  return {
    account: account.name,
    simulated: account.simulated,
    asked: found.asked.query,
    window: window && { from: isoTime(window.from), to: isoTime(window.to) },
    rows: found.rows.map(describe),
    truncated: found.truncated,
    note: notes.length === 0 ? null : notes.join('; ')
  }
}
