import { notFound, Type, type Knex, type PluginApp, type Static } from '../../core/index.ts'
import { Alert } from '../webhooks/contract.ts'
import { AnalysisStatus, Report } from './contract.ts'
import { analysisStore, type Analysis } from './store.ts'

const nullableText = Type.Union([Type.String(), Type.Null()])
const Notebook = Type.Union([
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    url: Type.String(),
    simulated: Type.Boolean()
  }),
  Type.Null()
])
const Common = {
  id: Type.String(),
  event_id: Type.Integer(),
  event_url: Type.String(),
  account: nullableText,
  status: AnalysisStatus,
  attempt: Type.Integer(),
  error: nullableText,
  notebook: Notebook,
  created_at: Type.String(),
  finished_at: nullableText
}
const Summary = Type.Object({
  ...Common,
  monitor_id: nullableText,
  monitor_name: nullableText,
  alert_status: Type.String(),
  verdict: nullableText,
  summary: nullableText,
  simulated: Type.Union([Type.Boolean(), Type.Null()])
})
const Detail = Type.Object({ ...Common, alert: Alert, report: Type.Union([Report, Type.Null()]) })
const Page = Type.Object(
  {
    page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
    cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
    status: Type.Optional(AnalysisStatus)
  },
  { additionalProperties: false }
)

const common = (analysis: Analysis) => ({
  id: analysis.id,
  event_id: analysis.eventId,
  event_url: `/v1/webhooks/events/${analysis.eventId}`,
  account: analysis.account,
  status: analysis.status,
  attempt: analysis.attempt,
  error: analysis.error,
  notebook: analysis.notebook,
  created_at: analysis.createdAt.toISOString(),
  finished_at: analysis.finishedAt?.toISOString() ?? null
})
const summaryOf = (analysis: Analysis): Static<typeof Summary> => ({
  ...common(analysis),
  monitor_id: analysis.alert.monitor_id,
  monitor_name: analysis.alert.monitor_name ?? analysis.alert.title,
  alert_status: analysis.alert.status,
  verdict: analysis.report?.verdict ?? null,
  summary: analysis.report?.summary ?? null,
  simulated: analysis.report?.simulated ?? null
})

export function routes(app: PluginApp<unknown>, db: Knex): void {
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
    async handle({ query: { page, per_page, cursor, status } }) {
      const { analyses, total } = await analysisStore.list(db, {
        limit: per_page,
        offset: (page - 1) * per_page,
        ...(cursor === undefined ? {} : { before: Number(cursor) }),
        ...(status === undefined ? {} : { status })
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
    params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    response: Detail,
    also: { 404: 'no analysis has this id' },
    async handle({ params: { id } }) {
      const analysis = await analysisStore.find(db, id)
      if (!analysis) throw notFound('analysis', id, 'GET /v1/rca')
      return { ...common(analysis), alert: analysis.alert, report: analysis.report }
    }
  })
}
