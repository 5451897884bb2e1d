import { setTimeout as sleep } from 'node:timers/promises'
import { RayneError, type Caller, type Knex } from '../../../core/index.ts'
import { rcaErrors, type AnalysisStatus } from '../contract.ts'
import { analysisStore } from '../store/analyses.ts'
import { stepStore } from '../store/steps.ts'

const maxStreams = 50
const lookMs = 400
const pulseMs = 10_000
const pageSize = 200

/** Whether nothing more will be said; a failed analysis that is run again begins anew. */
export const hasEnded = (status: AnalysisStatus | undefined): boolean =>
  status !== 'pending' && status !== 'running'

/** Steps as server-sent events, for so many readers at once; each is replayed from the step its reader names. */
export function createStepStreams(db: Knex) {
  let open = 0
  return (
    analysisId: string,
    after: number,
    caller: Caller,
    gone: AbortSignal
  ): AsyncGenerator<string> => {
    if (open >= maxStreams)
      throw new RayneError({
        code: rcaErrors['too-many-step-streams'],
        message: `${maxStreams} streams of steps are open; close one, or read GET /v1/rca/{id}/steps`
      })
    open += 1
    gone.addEventListener('abort', () => (open -= 1), { once: true })
    return texts(db, analysisId, after, caller, gone)
  }
}

async function* texts(
  db: Knex,
  analysisId: string,
  after: number,
  caller: Caller,
  gone: AbortSignal
): AsyncGenerator<string> {
  yield 'retry: 2000\n\n'
  for (let number = after, quiet = performance.now(); !gone.aborted;) {
    // The status first: what was told before it changed is then seen for certain.
    const status = await analysisStore.statusOf(db, analysisId)
    const steps = await stepStore.after(db, analysisId, number, pageSize)
    for (const step of steps)
      yield `id: ${step.number}\nevent: step\ndata: ${JSON.stringify(step)}\n\n`
    number = steps.at(-1)?.number ?? number
    if (steps.length > 0) quiet = performance.now()
    else if (hasEnded(status)) {
      yield `event: end\ndata: ${JSON.stringify({ status })}\n\n`
      return
    } else if (performance.now() - quiet > pulseMs) {
      if (!(await caller.mayStill())) return
      quiet = performance.now()
      yield ': still here\n\n'
    }
    if (steps.length < pageSize) await sleep(lookMs, undefined, { signal: gone }).catch(() => {})
  }
}
