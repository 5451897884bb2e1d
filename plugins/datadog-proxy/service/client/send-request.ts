import type { RequestContext } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/http/http.js'
import { errorText } from '../../../../core/index.ts'
import { DatadogError, type CallOptions } from '../../contract.ts'
import type { AnswerHeaders } from './answer-headers.ts'
import type { Circuit } from './circuit.ts'
import { endedBy, openDeadline, type Deadline } from './deadline.ts'
import { exchange, type Exchange, type Transport } from './exchange.ts'
import { nextDelay } from './plan-retry.ts'
import { routeOf, type RateLimits } from './rate-limit.ts'

/** A transport with what the account has learned about its Datadog. */
export interface AccountTransport extends Transport {
  readonly limits: RateLimits
  readonly circuit: Circuit
}

/** One call of the contract: its requests, retries and pages share one deadline. `hint` is the sentence a 403 adds. */
export interface Call {
  /** A request that changes nothing: repeated on network errors, 429 and 5xx. */
  read(hint: string, build: () => Promise<RequestContext>): Promise<unknown>
  /** A request that changes something: sent once, because a failed answer does not mean it was not carried out. */
  write(hint: string, build: () => Promise<RequestContext>): Promise<unknown>
}

/** The sentence of a 403 when the application key lacks one of Datadog's permissions. */
export const needs = (permission: string): string =>
  `The application key needs the permission ${permission}`

/**
 * The one place through which every request of an account goes; rejects with DatadogError or the caller's abort reason.
 */
export function startCall(transport: AccountTransport, options: CallOptions = {}): Call {
  let deadline: Deadline | undefined
  const sendBuilt = async (
    hint: string,
    build: () => Promise<RequestContext>,
    attempts: number
  ): Promise<unknown> => {
    options.signal?.throwIfAborted()
    const request = await built(build)
    // The first call of a process loads the client, which is not Datadog's time.
    deadline ??= openDeadline(options, transport.timeoutMs)
    return send(transport, deadline, hint, request, attempts)
  }
  return {
    read: (hint, build) => sendBuilt(hint, build, transport.retry.attempts),
    write: (hint, build) => sendBuilt(hint, build, 1)
  }
}

async function send(
  transport: AccountTransport,
  deadline: Deadline,
  hint: string,
  request: RequestContext,
  attempts: number
): Promise<unknown> {
  deadline.caller?.throwIfAborted()
  const route = routeOf(request.getHttpMethod(), request.getUrl())
  for (let attempt = 1; ; attempt++) {
    await admitted(transport, deadline, route)
    const outcome = await observed(transport, deadline, route, headers =>
      exchange(transport, deadline, hint, request, headers)
    )
    if ('json' in outcome) return outcome.json
    const delay = nextDelay(outcome, attempt, deadline.remainingMs(), {
      ...transport.retry,
      attempts
    })
    if (delay === undefined) throw outcome.error
    transport.log.debug(
      { attempt, delayMs: Math.round(delay), failure: outcome.error.failure },
      'repeating a Datadog read'
    )
    await transport.retry.sleep(delay, deadline.signal).catch((error: unknown) => {
      throw endedBy(deadline, error) ?? error
    })
  }
}

// The client's request models refuse unknown enum words and missing fields before anything is sent.
async function built(build: () => Promise<RequestContext>): Promise<RequestContext> {
  try {
    return await build()
  } catch (error) {
    throw error instanceof DatadogError
      ? error
      : new DatadogError('invalid', `the request could not be built: ${errorText(error)}`, {
          cause: error
        })
  }
}

/** Waits for the request that finds out whether Datadog is back, at most until the deadline. */
async function probed(probe: Promise<void>, deadline: Deadline): Promise<void> {
  await Promise.race([probe, aborted(deadline.signal)])
  const ended = endedBy(deadline, deadline.signal.reason)
  if (ended) throw ended
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const mostWaits = 5

/**
 * Waits for a token of the account's rate limit; throws `rate_limited` instead of a wait that is too long for this
 * call.
 */
async function admitted(
  { limits, retry, where }: AccountTransport,
  deadline: Deadline,
  route: string
): Promise<void> {
  for (let waits = 0; ; waits++) {
    const waitMs = limits.take(route)
    if (waitMs === 0) return
    if (waits >= mostWaits || waitMs > Math.min(retry.capMs, deadline.remainingMs())) {
      throw new DatadogError(
        'rate_limited',
        `Datadog's limit for ${route} (${where}) is used up; there is more in ${Math.ceil(waitMs / 1000)} s`,
        { retryAfterSeconds: Math.ceil(waitMs / 1000) }
      )
    }
    await retry.sleep(waitMs, deadline.signal).catch((error: unknown) => {
      throw endedBy(deadline, error) ?? error
    })
  }
}

/** Runs one exchange and tells the circuit and the rate limits how it went. */
async function observed(
  { limits, circuit }: AccountTransport,
  deadline: Deadline,
  route: string,
  run: (keep: (headers: AnswerHeaders) => void) => Promise<Exchange>
): Promise<Exchange> {
  let headers: AnswerHeaders | undefined
  try {
    // Nothing may come between the last look and the entry, or two would take themselves for the probe.
    for (let probe = circuit.probe(); probe; probe = circuit.probe()) await probed(probe, deadline)
    circuit.enter()
  } catch (error) {
    limits.answered(route)
    throw error
  }
  try {
    const outcome = await run(kept => {
      headers = kept
    })
    if ('error' in outcome && outcome.error.failure === 'unavailable') circuit.failed(outcome.error)
    else circuit.succeeded()
    return outcome
  } catch (error) {
    // A caller in a hurry says nothing about Datadog.
    if (
      error instanceof DatadogError &&
      error.failure === 'timeout' &&
      deadline.timeoutMs >= telling
    )
      circuit.failed(error)
    else circuit.abandoned()
    throw error
  } finally {
    limits.answered(route, headers)
  }
}

/** A time-out shorter than this (ms) is not counted against Datadog: its slow answers take up to 20 s. */
const telling = 10_000
