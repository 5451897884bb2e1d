import { errorText, isoTime } from '../../../core/index.ts'
import {
  DatadogError,
  mayPass,
  type DatadogRows,
  type TimeWindow
} from '../../datadog-proxy/contract.ts'
import type { EvidenceRow, EvidenceSlot } from '../contract.ts'

type Facts = Omit<EvidenceRow, 'id'>
/** What a question found, before its rows have ids. */
export interface Found {
  readonly rows: readonly Facts[]
  readonly truncated: boolean
  readonly note: string | null
  readonly asked: string
}
/** One question: `asked` stands for it until its answer says better. */
export interface Question {
  readonly slot: string
  readonly title: string
  readonly asked: string
  ask(): Promise<Found>
}
/** The answer to a question that cannot be asked, with why. */
export const nothing = (note: string): Found => ({ rows: [], truncated: false, note, asked: '' })
/** An answer of Datadog's as rows of evidence. */
export const fromRows = <T>(
  found: DatadogRows<T>,
  describe: (rows: readonly T[]) => Facts[]
): Found => ({
  rows: describe(found.rows),
  truncated: found.truncated,
  note: found.warnings.length > 0 ? found.warnings.join('; ') : null,
  asked: found.asked.query
})

/** Asks a question; whatever happens is a slot of the report, never a throw. */
export async function answer(
  { slot, title, asked, ask }: Question,
  { from, to }: TimeWindow
): Promise<EvidenceSlot> {
  const started = performance.now()
  const base = { slot, title, window: { from: isoTime(from), to: isoTime(to) } }
  const took = (): number => Math.round(performance.now() - started)
  try {
    const found = await ask()
    const outcome = found.rows.length === 0 ? 'empty' : found.truncated ? 'truncated' : 'rows'
    return {
      ...base,
      asked: found.asked || asked,
      outcome,
      rows: found.rows.map((row, index) => ({ id: `${slot}#${index + 1}`, ...row })),
      note: found.note ?? usualNote(outcome, found.rows.length),
      took_ms: took(),
      retryable: false
    }
  } catch (error) {
    const forbidden = error instanceof DatadogError && error.failure === 'forbidden'
    return {
      ...base,
      asked,
      outcome: forbidden ? 'forbidden' : 'error',
      rows: [],
      note: errorText(error),
      took_ms: took(),
      retryable: error instanceof DatadogError && mayPass(error)
    }
  }
}

function usualNote(outcome: EvidenceSlot['outcome'], shown: number): string | null {
  if (outcome === 'empty') return 'Datadog answered: nothing matches'
  return outcome === 'truncated' ? `more than the ${shown} rows shown exist` : null
}
