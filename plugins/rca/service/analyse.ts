import {
  errorText,
  nowMs,
  RayneError,
  type EpochMs,
  type JobContext,
  type Knex
} from '../../../core/index.ts'
import {
  DatadogError,
  mayPass,
  type DatadogAccount,
  type DatadogService
} from '../../datadog-proxy/contract.ts'
import type { EvidenceSlot, Report } from '../contract.ts'
import { analysisStore, type Analysis } from '../store.ts'
import { draftNotebook, notebookMarker } from './notebook.ts'
import { prefetch, windowAround } from './prefetch.ts'
import { writeReport } from './report.ts'

/**
 * Runs one analysis: evidence, report, notebook. Safe to run twice: the report is replaced, the notebook is looked for before
 * it is made, and every write is fenced by the attempt. The report is stored before the notebook, so a lost notebook loses no report.
 */
export function createAnalyser({ db, datadog }: { db: Knex; datadog: DatadogService }) {
  return async ({ analysisId }: { analysisId: string }, job: JobContext): Promise<void> => {
    const write = <T>(run: (trx: Knex.Transaction) => Promise<T>): Promise<T> =>
      db.transaction(async trx => {
        await job.fence(trx)
        return run(trx)
      })
    const analysis = await write(trx => analysisStore.begin(trx, analysisId, job.attempt))
    if (!analysis) return
    const fail = async (error: unknown, report?: Report): Promise<void> => {
      const text = errorText(error)
      await write(async trx => {
        if (report) await analysisStore.saveReport(trx, analysisId, report)
        if (job.lastAttempt)
          await analysisStore.finish(trx, analysisId, { status: 'failed', error: text })
        else await analysisStore.noteError(trx, analysisId, text)
      })
      if (!job.lastAttempt) throw error
    }
    try {
      const account = await datadog.account(analysis.account ?? undefined)
      const { report, window } = await investigate(analysis, account, job.signal)
      if (isWorthAnotherTry(report.evidence))
        return await fail(
          new RayneError(
            'evidence-unavailable',
            502,
            `no question to Datadog was answered: ${report.evidence.find(slot => slot.note)?.note ?? ''}`
          ),
          report
        )
      await write(trx => analysisStore.saveReport(trx, analysisId, report))
      const draft = draftNotebook(analysisId, analysis.alert, report, window, account)
      const found =
        job.attempt > 1
          ? await account.findNotebook(notebookMarker(analysisId), { signal: job.signal })
          : undefined
      const notebook = found ?? (await account.createNotebook(draft, { signal: job.signal }))
      await write(trx =>
        analysisStore.finish(trx, analysisId, {
          status: 'done',
          notebook: { ...notebook, simulated: account.simulated }
        })
      )
    } catch (error) {
      if (job.signal.aborted || (error instanceof RayneError && error.code === 'job-lost'))
        throw error
      if (error instanceof DatadogError && !mayPass(error))
        return await write(trx =>
          analysisStore.finish(trx, analysisId, {
            status: 'failed',
            error: `the notebook was not made: ${error.message}`
          })
        )
      await fail(error)
    }
  }
}

async function investigate(
  analysis: Analysis,
  account: DatadogAccount,
  signal: AbortSignal
): Promise<{ report: Report; window: ReturnType<typeof windowAround> }> {
  const alertAt = (analysis.alert.at ?? analysis.receivedAt.getTime()) as EpochMs
  const window = windowAround(alertAt, nowMs())
  const slots = await prefetch(account, analysis.alert, window, signal)
  signal.throwIfAborted()
  return {
    window,
    report: writeReport({
      alert: analysis.alert,
      alertAt,
      slots,
      window,
      account: account.name,
      simulated: account.simulated
    })
  }
}

/** Nothing was answered and waiting may help: an outage of Datadog must not become a report of nothing. */
const isWorthAnotherTry = (slots: readonly EvidenceSlot[]): boolean =>
  slots.some(slot => slot.retryable) &&
  slots.every(
    slot => slot.outcome === 'error' || slot.outcome === 'forbidden' || slot.rows.length === 0
  )
