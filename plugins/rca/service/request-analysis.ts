import { notFound, nowMs, RayneError, type JobHandle, type Knex } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import { rcaErrors } from '../contract.ts'
import { analysisStore, type AnalysisSettings } from '../store/analyses.ts'
import { alertOfMonitor, type AskedAlert } from './alert-of-monitor.ts'

/** An analysis of a monitor that somebody wants now. */
export interface AskedAnalysis extends AskedAlert, AnalysisSettings {
  readonly monitor_id: string
  readonly account?: string
}
/** What the job of an analysis carries. */
export interface AnalysePayload {
  readonly analysisId: string
  /** Left alone when it has ended meanwhile. */
  readonly unlessEnded?: boolean
}

const readMs = 15_000

/**
 * Opens analyses without a webhook. With `aheadSeconds` whoever asks runs the analysis, and the job comes that much
 * later, for what was left unfinished.
 */
export function createRequests(needs: {
  readonly db: Knex
  readonly datadog: DatadogService
  readonly analyse: JobHandle<AnalysePayload>
  readonly hasModel: boolean
}) {
  const { db, datadog, analyse, hasModel } = needs
  type Asked = Parameters<typeof analysisStore.request>[1]
  const open = (asked: Asked, aheadSeconds?: number): Promise<string> =>
    db.transaction(async trx => {
      const analysisId = await analysisStore.request(trx, asked)
      await analyse.enqueue(
        { analysisId, ...(aheadSeconds === undefined ? {} : { unlessEnded: true }) },
        {
          trx,
          key: analysisId,
          ...(aheadSeconds === undefined ? {} : { delaySeconds: aheadSeconds })
        }
      )
      return analysisId
    })
  function settingsOf({ notebook, model, instructions }: AnalysisSettings): AnalysisSettings {
    if ((model !== undefined || instructions !== undefined) && !hasModel)
      throw new RayneError({
        code: rcaErrors['no-model'],
        message: 'no model is configured (ANTHROPIC_API_KEY), so none can be chosen or instructed'
      })
    return {
      ...(notebook === undefined ? {} : { notebook }),
      ...(model === undefined ? {} : { model }),
      ...(instructions === undefined ? {} : { instructions })
    }
  }
  return {
    /** Of a monitor; Datadog is asked for it at once, so that a wrong id is said at once. */
    async ask(
      asked: AskedAnalysis,
      by: string,
      stop: AbortSignal,
      aheadSeconds?: number
    ): Promise<string> {
      const settings = settingsOf(asked)
      const account = await datadog.account(asked.account)
      const signal = AbortSignal.any([stop, AbortSignal.timeout(readMs)])
      const now = nowMs()
      const { alert } = await alertOfMonitor(account, asked.monitor_id, asked, now, signal)
      return open(
        {
          account: account.name,
          alert,
          receivedAt: new Date(now),
          requestedBy: by,
          settings,
          rerunOf: null
        },
        aheadSeconds
      )
    },
    /** Of an alert somebody tells of; the default account is asked. */
    async ofAlert(alert: Alert, asked: AnalysisSettings, by: string): Promise<string> {
      const settings = settingsOf(asked)
      const { name: account } = await datadog.account()
      const receivedAt = new Date()
      return open({ account, alert, receivedAt, requestedBy: by, settings, rerunOf: null })
    },
    /** Of an earlier alert, from the beginning; it makes no second notebook unless that is asked for. */
    async rerun(id: string, asked: AnalysisSettings, by: string): Promise<string> {
      const settings = settingsOf({ notebook: false, ...asked })
      const { account, alert, receivedAt } = await foundAnalysis(db, id)
      return open({ account, alert, receivedAt, requestedBy: by, settings, rerunOf: id })
    }
  }
}
export type Requests = ReturnType<typeof createRequests>

/** An analysis by id, or `analysis-not-found`. */
export async function foundAnalysis(db: Knex, id: string) {
  const analysis = await analysisStore.find(db, id)
  if (!analysis) throw notFound('analysis', id, 'GET /v1/rca')
  return analysis
}
