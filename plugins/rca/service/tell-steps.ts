import { errorText, type Knex, type Logger } from '../../../core/index.ts'
import type { Step } from '../contract.ts'
import { stepStore, type NewStep } from '../store/steps.ts'

/** Says what an analysis does, while it does it; what is said is stored and shown, and never waited for. */
export type Tell = (kind: Step['kind'], text: string) => void

const longestText = 1_000

/**
 * Stores steps in the order they are told, one statement at a time; `settled` waits for all of them. A step that
 * cannot be stored is logged: it fails no analysis.
 */
export function createStepLog(options: {
  readonly db: Knex
  readonly analysisId: string
  readonly attempt: number
  readonly log: Logger
  readonly onStep?: ((text: string) => void) | undefined
}): { tell: Tell; settled(): Promise<void> } {
  const { db, analysisId, attempt, log, onStep } = options
  let waiting: NewStep[] = []
  let writing: Promise<void> | undefined
  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const steps = waiting
      waiting = []
      await stepStore
        .add(db, analysisId, attempt, steps)
        .catch((error: unknown) =>
          log.warn({ error: errorText(error) }, 'steps of an analysis could not be stored')
        )
    }
    writing = undefined
  }
  return {
    tell(kind, text) {
      // No database holds NUL or half a character.
      const clean = text.replaceAll('\0', ' ').toWellFormed()
      const short = clean.length > longestText ? `${clean.slice(0, longestText - 1)}…` : clean
      waiting.push({ at: new Date(), kind, text: short })
      onStep?.(short)
      writing ??= write()
    },
    async settled() {
      await writing
    }
  }
}
