import { epochMs, errorText, RayneError, type JobContext, type Knex } from '../../../core/index.ts'
import {
  DatadogError,
  mayPass,
  type DatadogAccount,
  type DatadogService,
  type NotebookDraft,
  type NotebookRef
} from '../../datadog-proxy/contract.ts'
import { rcaErrors, type EvidenceSlot, type Report } from '../contract.ts'
import { analysisStore, type Analysis } from '../store.ts'
import { gatherEvidence } from './gather-evidence.ts'
import type { Investigator } from './investigate/open-investigator.ts'
import { draftNotebook, notebookMarker } from './notebook.ts'
import { writeReport } from './report.ts'
import { timeOfAlert, type AlertTime } from './window.ts'

/** One attempt at an analysis; `write` commits only while this attempt owns the job. */
interface Attempt {
  readonly analysisId: string
  readonly job: JobContext
  readonly db: Knex
  write<T>(run: (trx: Knex.Transaction) => Promise<T>): Promise<T>
}

/**
 * Runs one analysis: evidence, report, notebook. Safe to run twice: the report is replaced, the notebook is looked
 * for before it is made, and every write is fenced by the attempt. The report is stored before the notebook, so a
 * lost notebook loses no report. What fails is thrown, so that the job fails with the analysis and can be run again.
 */
export function createAnalyser({
  db,
  datadog,
  investigator
}: {
  db: Knex
  datadog: DatadogService
  investigator: Investigator | undefined
}) {
  return async ({ analysisId }: { analysisId: string }, job: JobContext): Promise<void> => {
    const attempt: Attempt = { analysisId, job, db, write: fencedBy(db, job) }
    const analysis = await attempt.write(trx => analysisStore.begin(trx, analysisId, job.attempt))
    if (!analysis) return
    try {
      const account = await datadog.account(analysis.account ?? undefined)
      await complete(attempt, analysis, account, investigator)
    } catch (error) {
      await noteFailure(attempt, error)
      throw error
    }
  }
}

const fencedBy =
  (db: Knex, job: JobContext): Attempt['write'] =>
  run =>
    db.transaction(async trx => {
      await job.fence(trx)
      return run(trx)
    })

async function complete(
  { analysisId, job, write }: Attempt,
  analysis: Analysis,
  account: DatadogAccount,
  investigator: Investigator | undefined
): Promise<void> {
  const time = timeOfAlert(analysis.alert.at, epochMs(analysis.receivedAt.getTime()))
  const save = (report: Report): Promise<void> =>
    write(trx => analysisStore.saveReport(trx, analysisId, report))
  // An earlier attempt may have asked the model already, which is not paid for twice.
  let report = analysis.report?.investigation ? analysis.report : undefined
  if (!report) {
    report = await engineReport(analysis, time, account, job.signal)
    await save(report)
    assertAnswered(report.evidence)
    if (investigator) {
      report = await investigator(analysis, report, job.signal)
      await save(report)
    }
  }
  const draft = draftNotebook(analysisId, analysis.alert, report, time.window, account)
  const notebook = await makeNotebook(account, draft, notebookMarker(analysisId), job)
  await write(trx =>
    analysisStore.finish(trx, analysisId, { ...notebook, simulated: account.simulated })
  )
}

async function engineReport(
  { alert }: Analysis,
  time: AlertTime,
  account: DatadogAccount,
  signal: AbortSignal
): Promise<Report> {
  const slots = await gatherEvidence({ account, alert, ...time, signal })
  const { name, simulated } = account
  return writeReport({ alert, time, slots, account: name, simulated })
}

/** Throws when nothing was answered and waiting may help: an outage of Datadog must not become a report of nothing. */
function assertAnswered(slots: readonly EvidenceSlot[]): void {
  const passing = slots.find(slot => slot.retryable)
  if (!passing || slots.some(slot => slot.rows.length > 0)) return
  throw new RayneError({
    code: rcaErrors['evidence-unavailable'],
    message: `no question to Datadog was answered: ${passing.note ?? passing.outcome}`
  })
}

async function makeNotebook(
  account: DatadogAccount,
  draft: NotebookDraft,
  marker: string,
  { attempt, signal }: JobContext
): Promise<NotebookRef> {
  try {
    const found = attempt > 1 ? await account.findNotebook(marker, { signal }) : undefined
    return found ?? (await account.createNotebook(draft, { signal }))
  } catch (error) {
    if (!(error instanceof DatadogError)) throw error
    throw new RayneError({
      code: rcaErrors['notebook-not-made'],
      status: error.status,
      message: `the notebook was not made: ${error.message}`,
      details: error.details,
      cause: error
    })
  }
}

/** Stores why an attempt failed; after the last one, or when no other would help, the analysis fails with its job. */
async function noteFailure({ analysisId, job, db, write }: Attempt, error: unknown): Promise<void> {
  const reason = job.signal.aborted
    ? `the attempt was cut off: ${errorText(job.signal.reason)}`
    : errorText(error)
  const note = (): Promise<void> => {
    // The attempt stored in the row is the fence here: the platform may have ended the job already.
    if (job.lastAttempt)
      return db.transaction(trx => analysisStore.fail(trx, analysisId, job.attempt, reason))
    return write(async trx => {
      if (mayHelpToRepeat(error)) return analysisStore.noteError(trx, analysisId, reason)
      await job.endRetries(trx)
      await analysisStore.fail(trx, analysisId, job.attempt, reason)
    })
  }
  await note().catch((problem: unknown) =>
    job.log.warn({ error: problem }, 'why the attempt failed could not be stored')
  )
}

function mayHelpToRepeat(error: unknown): boolean {
  const failure =
    error instanceof Error && error.cause instanceof DatadogError ? error.cause : error
  return !(failure instanceof DatadogError) || mayPass(failure)
}
