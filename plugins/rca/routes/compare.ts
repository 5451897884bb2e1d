import { Type, type PluginApp } from '../../../core/index.ts'
import { compareAnalyses } from '../service/compare-analyses.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import type { Rca } from './rca.ts'
import { noAnalysis, nullableText } from './wire.ts'

const Side = Type.Object({ first: Type.Unknown(), second: Type.Unknown() })

/** Two analyses side by side. */
export function compareRoutes(app: PluginApp<unknown>, { db }: Rca): void {
  app.route({
    method: 'GET',
    path: '/{id}/compare/{otherId}',
    auth: 'user',
    summary: 'Two analyses side by side: what both say, and what only one does',
    description: 'Made for re-runs with another model or other words; any two can be compared.',
    params: Type.Object({
      id: Type.String({ format: 'uuid' }),
      otherId: Type.String({ format: 'uuid' })
    }),
    response: Type.Object({
      first: Type.String(),
      second: Type.String(),
      of_the_same_alert: Type.Boolean(),
      agree: Type.Boolean(),
      differences: Type.Record(Type.String(), Side),
      claims: Type.Object({
        both: Type.Array(Type.String()),
        only_first: Type.Array(Type.String()),
        only_second: Type.Array(Type.String())
      }),
      evidence: Type.Array(
        Type.Object({
          slot: Type.String(),
          first: nullableText,
          second: nullableText
        })
      )
    }),
    also: noAnalysis,
    handle: async ({ params: { id, otherId } }) =>
      compareAnalyses(await foundAnalysis(db, id), await foundAnalysis(db, otherId))
  })
}
