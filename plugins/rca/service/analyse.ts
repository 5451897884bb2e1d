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
import { analysisStore, type Analysis } from '../store/analyses.ts'
import { gatherEvidence } from './gather-evidence.ts'
import type { Investigator } from './investigate/open-investigator.ts'
import { recallIncidents } from './recall-incidents.ts'
import type { AnalysePayload } from './request-analysis.ts'
import { hasEnded } from './stream-steps.ts'
import { createStepLog, type Tell } from './tell-steps.ts'
import type { IncidentVectors } from './vectors/incident-vectors.ts'
import { watchCancellation } from './watch-cancellation.ts'
import { draftNotebook, notebookMarker } from './notebook.ts'
import { writeReport } from './report.ts'
import { timeOfAlert, type AlertTime } from './window.ts'

/** One attempt at an analysis; `write` commits only while this attempt owns the job. */
interface Attempt {
  readonly analysisId: string
  readonly job: Job
  readonly db: Knex
  readonly vectors: AnalyserNeeds['vectors']
  /** Also aborts when somebody cancels the analysis. */
  readonly signal: AbortSignal
  readonly tell: Tell
  write<T>(run: (trx: Knex.Transaction) => Promise<T>): Promise<T>
  /** Tells the subscribers, in the transaction that ends the analysis. */
  readonly ended: AnalyserNeeds['ended']
}
/** What an attempt needs of the job it runs in. */
export type Job = Omit<JobContext, 'id'>

export interface AnalyserNeeds {
  readonly db: Knex
  readonly datadog: DatadogService
  readonly investigator: Investigator | undefined
  readonly vectors: IncidentVectors | undefined
  ended(trx: Knex.Transaction, analysisId: string): Promise<void>
}

/**
 * Runs one analysis: evidence, report, notebook. Safe to run twice: the report is replaced, the notebook is looked
 * for before it is made, and every write is fenced by the attempt. The report is stored before the notebook, so a
 * lost notebook loses no report. What fails is thrown, so that the job fails with the analysis and can be run again.
 */
export function createAnalyser({ db, datadog, investigator, vectors, ended }: AnalyserNeeds) {
  return async (
    { analysisId, unlessEnded }: AnalysePayload,
    job: Job,
    onStep?: (text: string) => void
  ): Promise<void> => {
    const write = fencedBy(db, job)
    if (unlessEnded && hasEnded(await analysisStore.statusOf(db, analysisId))) return
    const analysis = await write(trx => analysisStore.begin(trx, analysisId, job.attempt))
    if (!analysis) return
    const cancellation = watchCancellation(db, analysisId)
    const steps = createStepLog({ db, analysisId, attempt: job.attempt, log: job.log, onStep })
    const signal = AbortSignal.any([job.signal, cancellation.signal])
    const { tell } = steps
    const attempt: Attempt = { analysisId, job, db, vectors, signal, tell, write, ended }
    try {
      const account = await datadog.account(analysis.account ?? undefined)
      steps.tell('begun', `${nameOf(analysis)}, in account ${account.name}`)
      await complete(attempt, analysis, account, investigator)
      steps.tell('ended', 'the analysis is done')
    } catch (error) {
      if (await isCancelled(db, analysisId)) return steps.tell('ended', 'the analysis is cancelled')
      steps.tell('ended', `this attempt failed: ${errorText(error)}`)
      await noteFailure(attempt, error)
      throw error
    } finally {
      cancellation.stop()
      await steps.settled()
    }
  }
}

const nameOf = ({ alert }: Analysis): string =>
  alert.monitor_name ?? alert.title ?? `monitor ${alert.monitor_id ?? 'unknown'}`

/** Nothing is left to do for what somebody cancelled; a database that does not answer is no cancellation. */
const isCancelled = (db: Knex, analysisId: string): Promise<boolean> =>
  analysisStore.statusOf(db, analysisId).then(
    status => status === 'cancelled',
    () => false
  )

const fencedBy =
  (db: Knex, job: Job): Attempt['write'] =>
  run =>
    db.transaction(async trx => {
      await job.fence(trx)
      return run(trx)
    })

async function complete(
  attempt: Attempt,
  analysis: Analysis,
  account: DatadogAccount,
  investigator: Investigator | undefined
): Promise<void> {
  const { analysisId, tell, write, ended } = attempt
  const finish = (notebook: Analysis['notebook']): Promise<void> =>
    write(async trx => {
      await analysisStore.finish(trx, analysisId, notebook)
      await ended(trx, analysisId)
    })
  const time = timeOfAlert(analysis.alert.at, epochMs(analysis.receivedAt.getTime()))
  const report = await reportOf(attempt, analysis, time, account, investigator)
  if (analysis.settings.notebook === false) return finish(null)
  const draft = draftNotebook(analysisId, analysis.alert, report, time.window, account)
  const notebook = await makeNotebook(account, draft, notebookMarker(analysisId), attempt)
  tell('notebook', notebook.url)
  await finish({ ...notebook, simulated: account.simulated })
}

/**
 * The report of this analysis. An earlier attempt's is taken up where it stands: what was gathered whole is not asked
 * for again, and a model that was asked is not paid for twice.
 */
async function reportOf(
  attempt: Attempt,
  analysis: Analysis,
  time: AlertTime,
  account: DatadogAccount,
  investigator: Investigator | undefined
): Promise<Report> {
  const { signal, tell } = attempt
  const kept = analysis.report
  if (kept?.investigation) return kept
  const report =
    kept && isWhole(kept.evidence) ? kept : await freshReport(attempt, analysis, time, account)
  if (!investigator) return report
  const investigated = await investigator(analysis, report, { signal, tell })
  await saveReport(attempt, investigated)
  return investigated
}

const saveReport = ({ analysisId, write }: Attempt, report: Report): Promise<void> =>
  write(trx => analysisStore.saveReport(trx, analysisId, report))

/** Whether asking again would tell nothing new. */
const isWhole = (slots: readonly EvidenceSlot[]): boolean =>
  slots.length > 0 && slots.every(({ retryable }) => !retryable)

async function freshReport(
  attempt: Attempt,
  analysis: Analysis,
  time: AlertTime,
  account: DatadogAccount
): Promise<Report> {
  const { db, vectors, signal, tell } = attempt
  const engine = await engineReport(analysis, time, account, { signal, tell })
  const similar = await recallIncidents({ db, vectors, signal, tell }, analysis, engine)
  const report = { ...engine, similar }
  await saveReport(attempt, report)
  assertAnswered(report.evidence)
  tell('report', report.summary)
  return report
}

async function engineReport(
  { alert }: Analysis,
  time: AlertTime,
  account: DatadogAccount,
  { signal, tell }: Pick<Attempt, 'signal' | 'tell'>
): Promise<Report> {
  const gathered = await gatherEvidence({
    account,
    alert,
    ...time,
    signal,
    onAnswers: found => found.forEach(slot => tell('asked', describeAnswer(slot)))
  })
  const { name, simulated } = account
  return writeReport({ alert, time, ...gathered, account: name, simulated })
}

const describeAnswer = ({ title, outcome, rows, note }: EvidenceSlot): string => {
  const found = rows.length > 0 ? `${rows.length} rows` : (note ?? outcome)
  return `${title}: ${outcome === 'truncated' ? `${found} of more` : found}`
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
  { job, signal }: Attempt
): Promise<NotebookRef> {
  try {
    const found = job.attempt > 1 ? await account.findNotebook(marker, { signal }) : undefined
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
async function noteFailure(attempt: Attempt, error: unknown): Promise<void> {
  const { analysisId, job, db, write, ended } = attempt
  const reason = job.signal.aborted
    ? `the attempt was cut off: ${errorText(job.signal.reason)}`
    : errorText(error)
  const fail = async (trx: Knex.Transaction): Promise<void> => {
    await analysisStore.fail(trx, analysisId, job.attempt, reason)
    await ended(trx, analysisId)
  }
  const note = (): Promise<void> => {
    // The attempt stored in the row is the fence here: the platform may have ended the job already.
    if (job.lastAttempt) return db.transaction(fail)
    return write(async trx => {
      if (mayHelpToRepeat(error)) return analysisStore.noteError(trx, analysisId, reason)
      await job.endRetries(trx)
      await fail(trx)
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
