import type { Knex } from '../../../core/index.ts'
import type { AnalysisEnded } from '../contract.ts'
import { analysisStore } from '../store/analyses.ts'

type Emit = (trx: Knex.Transaction, told: AnalysisEnded) => Promise<void>

/** Tells that an analysis has ended, as its row says it in the same transaction; nothing when it has not. */
export const tellEnded =
  (emit: Emit) =>
  async (trx: Knex.Transaction, analysisId: string): Promise<void> => {
    const analysis = await analysisStore.find(trx, analysisId)
    if (!analysis || (analysis.status !== 'done' && analysis.status !== 'failed')) return
    const { eventId, account, status, alert, report, error, notebook } = analysis
    await emit(trx, {
      analysis_id: analysisId,
      event_id: eventId,
      account,
      status,
      alert,
      verdict: report?.verdict ?? null,
      summary: report?.summary ?? null,
      component: report?.component ?? null,
      error,
      notebook_url: notebook?.url ?? null,
      simulated: report?.simulated ?? false
    })
  }
