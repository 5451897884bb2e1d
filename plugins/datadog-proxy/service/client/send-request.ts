import type { RequestContext } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/http/http.js'
import { errorCode, errorText, type Logger } from '../../../../core/index.ts'
import { DatadogError, type CallOptions } from '../../contract.ts'
import type { Circuit } from './circuit.ts'
import { askedWait, nextDelay, type FailedExchange, type RetryPolicy } from './plan-retry.ts'
import { routeOf, type RateLimits } from './rate-limit.ts'
import { refusal } from './read-envelope.ts'
import { parseJson } from './read-json.ts'

/** Everything about how requests of one account travel. */
export interface Transport {
  readonly fetch: typeof fetch
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  /** The largest answer read, in bytes after decompression. */
  readonly maxBytes: number
  /** The site, or the simulator's name, as messages show it. */
  readonly where: string
  /** Keys that must never appear in a message. */
  readonly secrets: readonly string[]
  readonly log: Logger
}
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

interface Deadline {
  readonly signal: AbortSignal
  readonly caller: AbortSignal | undefined
  readonly timeoutMs: number
  remainingMs(): number
}
type Exchange = { readonly json: unknown } | FailedExchange

/** The one place through which every request of an account goes; rejects with DatadogError or the caller's abort reason. */
export function startCall(transport: AccountTransport, options: CallOptions = {}): Call {
  let deadline: Deadline | undefined
  const sendBuilt = async (
    hint: string,
    build: () => Promise<RequestContext>,
    attempts: number
  ): Promise<unknown> => {
    options.signal?.throwIfAborted()
    const request = await built(build)
    // The first call of a process loads the client, which blocks for seconds and is not Datadog's time.
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

/** Waits for a token of the account's rate limit; throws `rate_limited` instead of a wait that is too long for this call. */
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
  run: (keep: (headers: Headers) => void) => Promise<Exchange>
): Promise<Exchange> {
  let headers: Headers | undefined
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

async function exchange(
  transport: Transport,
  deadline: Deadline,
  hint: string,
  request: RequestContext,
  keep: (headers: Headers) => void
): Promise<Exchange> {
  try {
    const body = request.getBody()
    const response = await transport.fetch(request.getUrl(), {
      method: request.getHttpMethod(),
      headers: request.getHeaders(),
      signal: deadline.signal,
      // Followed redirects would carry both keys to wherever they point.
      redirect: 'manual',
      ...(typeof body === 'string' ? { body } : {})
    })
    keep(response.headers)
    if (response.status >= 300 && response.status < 400) return redirected(response)
    return judge(transport, hint, response, await readBounded(response, transport.maxBytes))
  } catch (error) {
    const ended = endedBy(deadline, error)
    if (ended) throw ended
    if (error instanceof DatadogError) return { error, retryable: false }
    return {
      error: new DatadogError(
        'unavailable',
        `Datadog (${transport.where}) could not be reached: ${redacted(networkText(error), transport.secrets)}`,
        { cause: error }
      ),
      retryable: true
    }
  }
}

function judge(transport: Transport, hint: string, response: Response, text: string): Exchange {
  const { status, headers } = response
  if (!response.ok) {
    const askedSeconds = askedWait(status, headers, Date.now())
    const error = refusal(status, redacted(text, transport.secrets), {
      hint,
      where: transport.where,
      retryAfterSeconds: askedSeconds
    })
    return { error, retryable: status === 429 || status >= 500, askedSeconds }
  }
  // Deletions answer so, recorded with the content type of HTML.
  if (status === 204) return { json: undefined }
  const type = headers.get('content-type')
  if (type !== null && !/[/+]json\b/i.test(type))
    return {
      error: garbage(status, `${type.slice(0, 60)} instead of JSON (a proxy or a login page?)`),
      retryable: false
    }
  if (text.trim() === '') return { error: garbage(status, 'an empty body'), retryable: false }
  try {
    return { json: parseJson(text) }
  } catch {
    return {
      error: garbage(status, `JSON that breaks off or is not JSON (${text.length} characters)`),
      retryable: false
    }
  }
}

async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw garbage(response.status, `more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function openDeadline({ signal: caller, timeoutMs = 0 }: CallOptions, defaultMs: number): Deadline {
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

function endedBy(deadline: Deadline, error: unknown): unknown {
  if (!deadline.signal.aborted) return undefined
  if (deadline.caller?.aborted) return deadline.caller.reason
  return new DatadogError(
    'timeout',
    `Datadog gave no complete answer within ${deadline.timeoutMs / 1000} s`,
    { cause: error }
  )
}

async function redirected(response: Response): Promise<Exchange> {
  await response.body?.cancel()
  return {
    error: garbage(
      response.status,
      'a redirect, which is not followed so that the keys stay where they belong'
    ),
    retryable: false
  }
}

const garbage = (datadogStatus: number, what: string): DatadogError =>
  new DatadogError('garbage', `Datadog answered ${datadogStatus} with ${what}`, { datadogStatus })
const redacted = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)

function networkText(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return errorCode(cause) ?? errorText(cause)
}
