import { notFound, Type, type PluginApp } from '../../../core/index.ts'
import { EvidenceRow, EvidenceSlot } from '../contract.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, noAnalysis } from './wire.ts'

const { rows: _, ...ofSlot } = EvidenceSlot.properties
const Slot = Type.Object({ ...ofSlot, total_count: Type.Integer() })
const Evidence = Type.Object({
  id: Type.String({ format: 'uuid' }),
  evidenceId: Type.String({
    minLength: 1,
    maxLength: 300,
    description: 'a question (`logs`) for all its rows, or one row (`logs#3`, written `logs%233`)'
  })
})
const Page = Type.Object(
  {
    page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 500, default: 100 })
  },
  { additionalProperties: false }
)

/** The evidence of an analysis, by question and row. */
export function evidenceRoutes(app: PluginApp<unknown>, { db }: Rca): void {
  app.route({
    method: 'GET',
    path: '/{id}/evidence',
    auth: 'user',
    summary: 'What was asked for an analysis and how each question ended, without the rows',
    params: AnalysisId,
    response: Type.Object({ id: Type.String(), evidence: Type.Array(Slot) }),
    also: noAnalysis,
    async handle({ params: { id } }) {
      const { report } = await foundAnalysis(db, id)
      return { id, evidence: (report?.evidence ?? []).map(described) }
    }
  })
  app.route({
    method: 'GET',
    path: '/{id}/evidence/{evidenceId}',
    auth: 'user',
    summary: 'The rows of one question, or one row, as claims cite it',
    params: Evidence,
    query: Page,
    response: Type.Object({
      ...Slot.properties,
      rows: Type.Array(EvidenceRow),
      page: Type.Integer(),
      per_page: Type.Integer()
    }),
    also: { 404: 'no analysis has this id, or it has no such evidence' },
    async handle({ params: { id, evidenceId }, query: { page, per_page: perPage } }) {
      const { report } = await foundAnalysis(db, id)
      const slots = report?.evidence ?? []
      const name = evidenceId.replace(/#\d+$/, '')
      const slot = slots.find(one => one.slot === name)
      const rows = slot?.rows.filter(row => evidenceId === name || row.id === evidenceId)
      if (!slot || !rows || (rows.length === 0 && evidenceId !== name))
        throw notFound('evidence', evidenceId, `GET /v1/rca/${id}/evidence`)
      return {
        ...described(slot),
        total_count: rows.length,
        rows: rows.slice((page - 1) * perPage, page * perPage),
        page,
        per_page: perPage
      }
    }
  })
}

const described = ({ rows, ...slot }: EvidenceSlot) => ({ ...slot, total_count: rows.length })
