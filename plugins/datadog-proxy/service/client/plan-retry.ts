import type { DatadogError } from '../../contract.ts'
import type { AnswerHeaders } from './answer-headers.ts'

/** How reads are repeated; times in milliseconds. */
export interface RetryPolicy {
  readonly attempts: number
  readonly baseMs: number
  /** The longest wait, asked for by Datadog or not. */
  readonly capMs: number
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** 0 ≤ x < 1. */
  random(): number
}

/** One failed exchange; `askedSeconds` is a wait Datadog asked for, when it makes sense. */
export interface FailedExchange {
  readonly error: DatadogError
  readonly retryable: boolean
  readonly askedSeconds?: number | undefined
}

const longestSaneWait = 86_400

/**
 * Seconds to wait from `Retry-After` or, for a 429, `X-RateLimit-Reset`; undefined when absent or senseless.
 * Reset is recorded as seconds up to 3494, and seen elsewhere as 0, words and an epoch.
 */
export function askedWait(
  status: number,
  headers: AnswerHeaders,
  nowMs: number
): number | undefined {
  const retryAfter = headers.get('retry-after')
  const stated = retryAfter ?? (status === 429 ? headers.get('x-ratelimit-reset') : null)
  if (stated === null) return undefined
  const number = /^\s*\d+(?:\.\d+)?\s*$/.test(stated) ? Number(stated) : NaN
  const date = Number.isNaN(number) && retryAfter !== null ? Date.parse(stated) : NaN
  const seconds =
    number > 1e12
      ? (number - nowMs) / 1000
      : number > 1e9
        ? number - nowMs / 1000
        : Number.isNaN(number)
          ? (date - nowMs) / 1000
          : number
  return seconds > 0 && seconds <= longestSaneWait ? Math.ceil(seconds) : undefined
}

/**
 * Milliseconds until the next attempt, or undefined when there is none. A wait beyond the cap is not honoured but
 * backed off.
 */
export function nextDelay(
  failed: FailedExchange,
  attempt: number,
  remainingMs: number,
  policy: RetryPolicy
): number | undefined {
  if (!failed.retryable || attempt >= policy.attempts) return undefined
  const asked = failed.askedSeconds === undefined ? Infinity : failed.askedSeconds * 1000
  const backoff = policy.baseMs * 2 ** (attempt - 1) * (0.5 + policy.random() / 2)
  const delay = Math.min(
    asked <= policy.capMs ? asked + policy.baseMs * policy.random() : backoff,
    policy.capMs
  )
  return delay < remainingMs ? delay : undefined
}
