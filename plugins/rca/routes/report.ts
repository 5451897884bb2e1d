import { Type, type PluginApp } from '../../../core/index.ts'
import { reportMarkdown } from '../service/markdown-report.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, noAnalysis, nullableText } from './wire.ts'

/** The report for people. */
export function reportRoutes(app: PluginApp<unknown>, { db, datadog }: Rca): void {
  app.route({
    method: 'GET',
    path: '/{id}/report',
    auth: 'user',
    summary: 'The report as Markdown',
    params: AnalysisId,
    response: Type.Object({ id: Type.String(), markdown: nullableText }),
    also: noAnalysis,
    async handle({ params: { id } }) {
      const analysis = await foundAnalysis(db, id)
      if (!analysis.report) return { id, markdown: null }
      const { appUrl } = await datadog.account(analysis.account ?? undefined)
      return { id, markdown: reportMarkdown(analysis, analysis.report, appUrl) }
    }
  })
}
