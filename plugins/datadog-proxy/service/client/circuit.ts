import { DatadogError } from '../../contract.ts'

/**
 * Stops asking a Datadog that does not answer: after repeated failures only one request at a time finds out whether
 * it is back.
 */
export interface Circuit {
  /**
   * Throws `unavailable` with the time of the next try while the circuit is open; every entry is followed by exactly
   * one outcome.
   */
  enter(): void
  /**
   * Ends with the request that finds out whether Datadog is back, while one is under way: others wait for it instead
   * of failing beside a Datadog that works.
   */
  probe(): Promise<void> | undefined
  succeeded(): void
  failed(error: DatadogError): void
  /** Neither: the caller gave up. */
  abandoned(): void
}

interface CircuitOptions {
  readonly where: string
  readonly threshold?: number
  readonly baseMs?: number
  readonly capMs?: number
  now?(): number
}

/** Opens after `threshold` failures in a row (default 8) for 10 s, doubling up to 60 s while probes fail. */
export function createCircuit({
  where,
  threshold = 8,
  baseMs = 10_000,
  capMs = 60_000,
  now = Date.now
}: CircuitOptions): Circuit {
  let failures = 0
  let openMs = 0
  let openUntil = 0
  let probing: PromiseWithResolvers<void> | undefined
  let last: DatadogError | undefined
  const probed = (): void => {
    probing?.resolve()
    probing = undefined
  }
  return {
    probe: () => probing?.promise,
    enter() {
      if (openMs === 0) return
      const waitMs = openUntil - now()
      if (waitMs <= 0 && !probing) {
        probing = Promise.withResolvers()
        return
      }
      const when =
        waitMs > 0
          ? `is tried again at ${new Date(openUntil).toISOString()}`
          : 'is being tried again right now'
      throw new DatadogError(
        'unavailable',
        `Datadog (${where}) failed ${failures} times in a row and ${when}; last: ${last?.message ?? 'no answer'}`,
        { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) }
      )
    },
    succeeded() {
      failures = 0
      openMs = 0
      probed()
    },
    failed(error) {
      failures++
      last = error
      // A late failure of a request sent before it opened must not prolong it.
      const opens = openMs === 0 ? failures >= threshold : probing && now() >= openUntil
      if (opens) {
        openMs = openMs === 0 ? baseMs : Math.min(openMs * 2, capMs)
        openUntil = now() + openMs
      }
      probed()
    },
    abandoned() {
      probed()
    }
  }
}
