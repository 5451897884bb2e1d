import type { Knex, Logger, Static, Toolbox } from '../../../../core/index.ts'
import type { config } from '../../config.ts'
import type { Report } from '../../contract.ts'
import { analysisStore, type Analysis } from '../../store/analyses.ts'
import { orderStore } from '../../store/orders.ts'
import type { Tell } from '../tell-steps.ts'
import { investigate, skipped } from './investigate.ts'
import { createModel, type Model } from './model.ts'

/** Adds what a model makes of a report's evidence to the report. */
export type Investigator = (
  analysis: Analysis,
  report: Report,
  run: { readonly signal: AbortSignal; readonly tell: Tell }
) => Promise<Report>

// What the first version's container image has in the place of a key.
const notAKey = ['', 'placeholder-key']

/** Undefined without a key or an address of a model: the deterministic report then stands alone. */
export function openInvestigator(options: {
  readonly settings: Static<typeof config>
  readonly toolbox: Toolbox
  readonly db: Knex
  readonly log: Logger
}): Investigator | undefined {
  const { settings, toolbox, db, log } = options
  const { anthropic_api_key: apiKey, anthropic_base_url: baseUrl } = settings
  if (notAKey.includes(apiKey) && baseUrl === '') return undefined
  const modelOf = (name: string): Model =>
    createModel({
      name,
      apiKey: apiKey || 'none',
      baseUrl,
      maxTokens: settings.model_answer_tokens
    })
  const usual = modelOf(settings.model)
  const budget = {
    maxTurns: settings.model_turns,
    maxTokens: settings.model_tokens,
    maxUsd: settings.model_usd,
    maxMs: settings.model_seconds * 1_000,
    prices: { inputUsd: settings.model_input_usd, outputUsd: settings.model_output_usd }
  }
  return async ({ id, account, alert, settings: asked }, report, { signal, tell }) => {
    const model = asked.model === undefined ? usual : modelOf(asked.model)
    const spent = await analysisStore.spentToday(db, account)
    if (spent >= settings.model_daily_usd)
      return {
        ...report,
        investigation: skipped(
          model.name,
          `${spent.toFixed(2)} of ${settings.model_daily_usd} US dollars a day are spent for this account ` +
            '(RAYNE_RCA_MODEL_DAILY_USD)'
        )
      }
    const found = await investigate({
      alert,
      report,
      model,
      toolbox,
      budget,
      log,
      signal,
      tell,
      instructions: asked.instructions,
      orders: () => orderStore.take(db, id)
    })
    return { ...report, investigation: found.investigation, evidence: [...found.evidence] }
  }
}
