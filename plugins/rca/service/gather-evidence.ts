import type { EpochMs } from '../../../core/index.ts'
import type { DatadogAccount, TimeWindow } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { EvidenceSlot } from '../contract.ts'
import { scopeOf } from './alert-scope.ts'
import { findOnset } from './find-onset.ts'
import { followUp } from './follow-up.ts'
import { prefetch } from './prefetch.ts'
import { textFact } from './read-rows.ts'
import { survey } from './survey.ts'

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
}): Promise<EvidenceSlot[]> {
  const { account, alert, at, window, noticesUntil, signal, onAnswers } = input
  const first = await prefetch(account, alert, window, noticesUntil, signal)
  onAnswers?.(first)
  signal.throwIfAborted()
  const { service, env } = scopeOf(alert)
  const monitor = first.find(({ slot }) => slot === 'monitor')?.rows[0]
  const more = await survey({
    account,
    service: service ?? (monitor && textFact(monitor, 'service')) ?? null,
    env: env ?? (monitor && textFact(monitor, 'env')) ?? null,
    window,
    onset: findOnset(first, at).at,
    answered: first,
    signal
  })
  onAnswers?.(more)
  signal.throwIfAborted()
  const monitorEnv = env ?? (monitor && textFact(monitor, 'env')) ?? null
  const slots = [...first, ...more]
  const all = await followUp({ account, alert, at, env: monitorEnv, window, slots, signal })
  signal.throwIfAborted()
  return all
}
