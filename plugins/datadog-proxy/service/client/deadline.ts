import { DatadogError, type CallOptions } from '../../contract.ts'

/** The end of one call: its requests, retries and pages share it. */
export interface Deadline {
  readonly signal: AbortSignal
  readonly caller: AbortSignal | undefined
  readonly timeoutMs: number
  remainingMs(): number
}
/** Opens the time of a call, which ends at the caller's signal or after its limit, whichever is first. */
export function openDeadline(
  { signal: caller, timeoutMs = 0 }: CallOptions,
  defaultMs: number
): Deadline {
  const limit = timeoutMs > 0 ? timeoutMs : defaultMs
  const endsAt = performance.now() + limit
  const timer = AbortSignal.timeout(limit)
  return {
    signal: caller ? AbortSignal.any([caller, timer]) : timer,
    caller,
    timeoutMs: limit,
    remainingMs: () => endsAt - performance.now()
  }
}

/** Why a call is over: the caller's reason or a time-out; undefined while it is not. */
export function endedBy(deadline: Deadline, error: unknown): unknown {
  if (!deadline.signal.aborted) return undefined
  if (deadline.caller?.aborted) return deadline.caller.reason
  return new DatadogError(
    'timeout',
    `Datadog gave no complete answer within ${deadline.timeoutMs / 1000} s`,
    { cause: error }
  )
}
