import {
  errorText,
  secondMs,
  type CommandAnswer,
  type CommandContext,
  type Knex,
  type Logger
} from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import type { createAnalyser } from './analyse.ts'
import { reportMarkdown } from './markdown-report.ts'
import { foundAnalysis, type AskedAnalysis, type Requests } from './request-analysis.ts'

export interface AnalyseNowNeeds {
  readonly db: Knex
  readonly datadog: DatadogService
  readonly requests: Requests
  readonly analyser: ReturnType<typeof createAnalyser>
  readonly timeoutSeconds: number
  readonly log: Logger
}

// Long enough that a run of this process has ended before its job looks at what is left.
const graceSeconds = 60

/** Analyses in this process: steps to the terminal, the report as the answer. A run that is killed ends as a job. */
export async function analyseNow(
  { db, datadog, requests, analyser, timeoutSeconds, log }: AnalyseNowNeeds,
  asked: AskedAnalysis,
  { signal: stop, say }: Pick<CommandContext, 'signal' | 'say'>
): Promise<CommandAnswer> {
  const id = await requests.ask(asked, 'rayne analyse', stop, timeoutSeconds + graceSeconds)
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutSeconds * secondMs)])
  const nothing = async (): Promise<void> => {}
  // Nobody else runs it, so there is no claim to lose.
  const job = { attempt: 1, lastAttempt: true, signal, log, fence: nothing, endRetries: nothing }
  const problem = await analyser({ analysisId: id }, job, say).then(
    () => undefined,
    (error: unknown) => errorText(error)
  )
  stop.throwIfAborted()
  const analysis = await foundAnalysis(db, id)
  const { report, status, notebook } = analysis
  const { appUrl } = await datadog.account(analysis.account ?? undefined)
  return {
    value: { id, url: `/v1/rca/${id}`, status, error: analysis.error, notebook, report },
    lines: [
      ...(report ? [reportMarkdown(analysis, report, appUrl)] : []),
      ...(problem === undefined ? [] : [`The analysis failed: ${problem}`])
    ],
    failed: problem !== undefined || status !== 'done'
  }
}
