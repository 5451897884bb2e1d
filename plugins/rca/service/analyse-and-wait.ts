import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import { analysisStore, type Analysis } from '../store/analyses.ts'
import { alertOfPayload, type OldPayload } from './alert-of-payload.ts'
import { renderTemplate, templateOf } from './report-templates.ts'
import { reportMarkdown } from './markdown-report.ts'
import { foundAnalysis, type Requests } from './request-analysis.ts'
import { hasEnded } from './stream-steps.ts'

/** A request as the first version's callers make it. */
export interface OldRequest {
  readonly payload: OldPayload
  readonly templateId: string | undefined
  readonly instructions: string | undefined
}

// Below the time of a request, so that the caller gets an answer and not a time-out.
const waitMs = 25_000
// What nobody has begun by then waits for a worker, and may wait long.
const beginMs = 3_000
const lookMs = 250

/** Analyses the alert of an old payload and waits for the report, as long as a request may take. */
export async function analyseAndWait(
  needs: { db: Knex; datadog: DatadogService; requests: Requests },
  { payload, templateId, instructions }: OldRequest,
  by: string,
  signal: AbortSignal
) {
  const { db, datadog, requests } = needs
  const file = templateId === undefined ? null : templateOf(templateId, '/body/template_id')
  const id = await requests.ofAlert(
    alertOfPayload(payload),
    instructions === undefined ? {} : { instructions },
    by
  )
  const analysis = await ended(db, id, signal)
  const { report, alert, notebook } = analysis
  const { appUrl } = await datadog.account(analysis.account ?? undefined)
  const text =
    report === null
      ? null
      : file === null
        ? reportMarkdown(analysis, report, appUrl)
        : await renderTemplate(file, analysis, report, appUrl)
  return {
    success: analysis.status === 'done',
    status: analysis.status,
    id,
    url: `/v1/rca/${id}`,
    monitorId: alert.monitor_id,
    monitorName: alert.monitor_name,
    analysis: text,
    similarRCAs: report?.similar?.length ?? 0,
    templateUsed: file,
    payloadFields: Object.keys(payload).length,
    notebook: notebook && { id: notebook.id, url: notebook.url },
    ...(analysis.error === null ? {} : { error: analysis.error }),
    timestamp: new Date().toISOString()
  }
}

async function ended(db: Knex, id: string, signal: AbortSignal): Promise<Analysis> {
  for (const start = performance.now(); ; await sleep(lookMs, undefined, { signal })) {
    const status = await analysisStore.statusOf(db, id)
    const limitMs = status === 'pending' ? beginMs : waitMs
    if (hasEnded(status) || performance.now() - start >= limitMs) return foundAnalysis(db, id)
  }
}
