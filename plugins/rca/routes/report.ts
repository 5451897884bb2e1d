import { Type, type PluginApp } from '../../../core/index.ts'
import { reportMarkdown } from '../service/markdown-report.ts'
import { renderTemplate, templateFiles, templateOf } from '../service/report-templates.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import { outcomeStore } from '../store/outcomes.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, noAnalysis, nullableText } from './wire.ts'

/** The report for people. */
export function reportRoutes(app: PluginApp<unknown>, { db, datadog }: Rca): void {
  app.route({
    method: 'GET',
    path: '/templates',
    auth: 'user',
    summary: 'Templates of reports, files of assets/; prompt.md is for the model',
    response: Type.Object({ templates: Type.Array(Type.String()) }),
    handle: () => ({ templates: [...templateFiles] })
  })
  app.route({
    method: 'GET',
    path: '/{id}/report',
    auth: 'user',
    summary: 'The report as Markdown, or in the words of a template',
    params: AnalysisId,
    query: Type.Object(
      { template_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })) },
      { additionalProperties: false }
    ),
    response: Type.Object({
      id: Type.String(),
      template_id: nullableText,
      /** Null while there is no report. */
      markdown: nullableText
    }),
    also: noAnalysis,
    async handle({ params: { id }, query: { template_id: asked } }) {
      const file = asked === undefined ? null : templateOf(asked, '/query/template_id')
      const analysis = await foundAnalysis(db, id)
      const { report } = analysis
      if (!report) return { id, template_id: file, markdown: null }
      const { appUrl } = await datadog.account(analysis.account ?? undefined)
      const afterwards = await outcomeStore.afterwards(db, id)
      const markdown =
        file === null
          ? reportMarkdown(analysis, report, appUrl, afterwards)
          : await renderTemplate(file, analysis, report, appUrl, afterwards)
      return { id, template_id: file, markdown }
    }
  })
}
