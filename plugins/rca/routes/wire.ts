import { Type, type Static } from '../../../core/index.ts'
import { Alert } from '../../webhooks/contract.ts'
import { AnalysisStatus, Report } from '../contract.ts'
import type { Analysis } from '../store/analyses.ts'

/** Which analysis, in a path. */
export const AnalysisId = Type.Object({ id: Type.String({ format: 'uuid' }) })
export const noAnalysis = { 404: 'no analysis has this id' }
export const nullableText = Type.Union([Type.String(), Type.Null()])
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
  /** Null when no webhook told of it: somebody asked. */
  event_id: Type.Union([Type.Integer(), Type.Null()]),
  event_url: nullableText,
  requested_by: nullableText,
  rerun_of: nullableText,
  account: nullableText,
  status: AnalysisStatus,
  attempt: Type.Integer(),
  error: nullableText,
  notebook: Notebook,
  created_at: Type.String(),
  finished_at: nullableText
}
export const Summary = Type.Object({
  ...Common,
  monitor_id: nullableText,
  monitor_name: nullableText,
  service: nullableText,
  alert_status: Type.String(),
  verdict: nullableText,
  summary: nullableText,
  simulated: Type.Union([Type.Boolean(), Type.Null()])
})
export const Detail = Type.Object({
  ...Common,
  /** When the alert recovered. */
  resolved_at: nullableText,
  alert: Alert,
  report: Type.Union([Report, Type.Null()])
})
/** What the list and one analysis have in common, on the wire. */
export const common = (analysis: Analysis) => ({
  id: analysis.id,
  event_id: analysis.eventId,
  event_url: analysis.eventId === null ? null : `/v1/webhooks/events/${analysis.eventId}`,
  requested_by: analysis.requestedBy,
  rerun_of: analysis.rerunOf,
  account: analysis.account,
  status: analysis.status,
  attempt: analysis.attempt,
  error: analysis.error,
  notebook: analysis.notebook,
  created_at: analysis.createdAt.toISOString(),
  finished_at: analysis.finishedAt?.toISOString() ?? null
})
/** One analysis of the list. */
export const summaryOf = (analysis: Analysis): Static<typeof Summary> => ({
  ...common(analysis),
  monitor_id: analysis.alert.monitor_id,
  monitor_name: analysis.alert.monitor_name ?? analysis.alert.title,
  service: analysis.alert.service,
  alert_status: analysis.alert.status,
  verdict: analysis.report?.verdict ?? null,
  summary: analysis.report?.summary ?? null,
  simulated: analysis.report?.simulated ?? null
})
