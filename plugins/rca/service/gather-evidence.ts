import type { EpochMs } from '../../../core/index.ts'
import type { DatadogAccount, TimeWindow } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { EvidenceSlot } from '../contract.ts'
import { scopeOf } from './alert-scope.ts'
import { askEarlier, metricQueryOf } from './ask-earlier.ts'
import { findOnset } from './find-onset.ts'
import { followUp, type Gathered } from './follow-up.ts'
import { prefetch } from './prefetch.ts'
import { textFact } from './read-rows.ts'
import { survey } from './survey.ts'

const slotMs = 12_000

/** All an analysis reads: what is asked about the alert, and then what is asked because of those answers. */
export async function gatherEvidence(input: {
  readonly account: DatadogAccount
  readonly alert: Alert
  /** When the alert says it happened. */
  readonly at: EpochMs
  readonly window: TimeWindow
  /** The latest time an announcement is looked for. */
  readonly noticesUntil: EpochMs
  readonly signal: AbortSignal
  /** Told what was answered, before the next questions are asked. */
  readonly onAnswers?: (slots: readonly EvidenceSlot[]) => void
}): Promise<Gathered> {
  const { account, alert, at, window, noticesUntil, signal, onAnswers } = input
  const asked = await prefetch(account, alert, window, noticesUntil, signal)
  onAnswers?.(asked)
  signal.throwIfAborted()
  const query = findOnset(asked, at).isWeak ? metricQueryOf(asked) : undefined
  const earlier =
    query === undefined
      ? []
      : [await askEarlier(account, query, window, { signal, timeoutMs: slotMs })]
  onAnswers?.(earlier)
  signal.throwIfAborted()
  const first = [...asked, ...earlier]
  const said = scopeOf(alert)
  const monitor = first.find(({ slot }) => slot === 'monitor')?.rows[0]
  const service = said.service ?? (monitor && textFact(monitor, 'service')) ?? null
  const env = said.env ?? (monitor && textFact(monitor, 'env')) ?? null
  const more = await survey({
    account,
    service,
    env,
    window,
    onset: findOnset(first, at).at,
    answered: first,
    signal
  })
  onAnswers?.(more)
  signal.throwIfAborted()
  const slots = [...first, ...more]
  const all = await followUp({ account, alert, at, env, window, slots, signal })
  signal.throwIfAborted()
  return all
}
