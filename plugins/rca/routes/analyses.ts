import { Type, type PluginApp } from '../../../core/index.ts'
import { AnalysisStatus, Report } from '../contract.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import { analysisStore } from '../store/analyses.ts'
import { outcomeStore } from '../store/outcomes.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, common, Detail, noAnalysis, nullableText, Summary, summaryOf } from './wire.ts'

const Name = Type.Optional(Type.String({ minLength: 1, maxLength: 255 }))
const Time = Type.Optional(Type.String({ format: 'date-time' }))
const Filter = {
  account: Name,
  monitor_id: Type.Optional(Type.String({ pattern: '^[0-9]{1,19}$' })),
  service: Name,
  status: Type.Optional(AnalysisStatus),
  verdict: Type.Optional(Report.properties.verdict),
  from: Time,
  to: Time
}
const Page = Type.Object(
  {
    page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
    cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
    ...Filter
  },
  { additionalProperties: false }
)

/** Analyses to read. */
export function readRoutes(app: PluginApp<unknown>, { db }: Rca): void {
  app.route({
    method: 'GET',
    path: '',
    auth: 'user',
    summary: 'Analyses, newest first',
    query: Page,
    response: Type.Object({
      analyses: Type.Array(Summary),
      total_count: Type.Integer(),
      page: Type.Integer(),
      per_page: Type.Integer(),
      next_cursor: nullableText
    }),
    async handle({ query: { page, per_page, cursor, ...filter } }) {
      const { analyses, total } = await analysisStore.list(db, filter, {
        limit: per_page,
        offset: (page - 1) * per_page,
        ...(cursor === undefined ? {} : { before: Number(cursor) })
      })
      return {
        analyses: analyses.map(summaryOf),
        total_count: total,
        page,
        per_page,
        next_cursor: analyses.length === per_page ? String(analyses.at(-1)?.number) : null
      }
    }
  })
  app.route({
    method: 'GET',
    path: '/{id}',
    auth: 'user',
    summary: 'One analysis with its report and all its evidence',
    params: AnalysisId,
    response: Detail,
    also: noAnalysis,
    async handle({ params: { id } }) {
      const analysis = await foundAnalysis(db, id)
      const { resolvedAt } = await outcomeStore.lifecycle(db, id)
      const resolved_at = resolvedAt?.toISOString() ?? null
      return { ...common(analysis), resolved_at, alert: analysis.alert, report: analysis.report }
    }
  })
}
