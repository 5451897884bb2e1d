import { RayneError, reply, Type, type PluginApp } from '../../../core/index.ts'
import { AnalysisStatus, rcaErrors } from '../contract.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import { hasEnded } from '../service/stream-steps.ts'
import { analysisStore } from '../store/analyses.ts'
import { orderStore } from '../store/orders.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, noAnalysis } from './wire.ts'

/** What people tell a running analysis: no more of this, or along another line. */
export function controlRoutes(app: PluginApp<unknown>, { db, hasModel }: Rca): void {
  app.route({
    method: 'POST',
    path: '/{id}/cancel',
    auth: 'user',
    summary: 'Stop an analysis that has not ended; what is stored of it stays',
    params: AnalysisId,
    response: Type.Object({ id: Type.String(), status: AnalysisStatus }),
    also: { ...noAnalysis, 409: 'it has ended already' },
    async handle({ params: { id }, principal }) {
      const { status } = await foundAnalysis(db, id)
      if (!(await analysisStore.cancel(db, id, principal.name))) throw ended(id, status)
      return { id, status: 'cancelled' as const }
    }
  })
  app.route({
    method: 'POST',
    path: '/{id}/orders',
    auth: 'user',
    summary: 'Tell the model of a running analysis something, as "look at the deploy instead"',
    description: 'The model reads it with the answers to its next questions.',
    params: AnalysisId,
    body: Type.Object(
      { text: Type.String({ minLength: 1, maxLength: 2_000 }) },
      { additionalProperties: false }
    ),
    response: Type.Object({ id: Type.String(), accepted: Type.Boolean() }),
    status: 202,
    also: { ...noAnalysis, 409: 'it has ended already, or no model is configured' },
    async handle({ params: { id }, body: { text }, principal }) {
      const { status } = await foundAnalysis(db, id)
      if (hasEnded(status)) throw ended(id, status)
      if (!hasModel)
        throw new RayneError({
          code: rcaErrors['no-model'],
          message: 'no model is configured (ANTHROPIC_API_KEY), so nobody reads this'
        })
      await orderStore.give(db, id, text, principal.name)
      return reply(202, { id, accepted: true })
    }
  })
}

const ended = (id: string, status: string): RayneError =>
  new RayneError({
    code: rcaErrors['analysis-ended'],
    message: `analysis ${id} has ended already: it is ${status}`
  })
