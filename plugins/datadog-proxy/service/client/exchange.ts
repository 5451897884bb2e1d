import type { RequestContext } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/http/http.js'
import { errorCode, errorText, type Logger } from '../../../../core/index.ts'
import { DatadogError } from '../../contract.ts'
import type { AnswerHeaders } from './answer-headers.ts'
import { endedBy, type Deadline } from './deadline.ts'
import { askedWait, type FailedExchange, type RetryPolicy } from './plan-retry.ts'
import { refusal } from './read-envelope.ts'
import { parseJson } from './read-json.ts'

/** What a request needs of `fetch`. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly signal: AbortSignal
    readonly redirect: 'manual'
    readonly body?: string
  }
) => Promise<Answer>
/** What is read of an answer. */
export interface Answer {
  readonly ok: boolean
  readonly status: number
  readonly headers: AnswerHeaders
  readonly body: (AsyncIterable<Uint8Array> & { cancel(): Promise<void> }) | null
}

/** Everything about how requests of one account travel. */
export interface Transport {
  readonly fetch: Fetch
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
/** What one request came to. */
export type Exchange = { readonly json: unknown } | FailedExchange

/** Sends one request and judges its answer; throws only when the time is up or the caller has gone. */
export async function exchange(
  transport: Transport,
  deadline: Deadline,
  hint: string,
  request: RequestContext,
  keep: (headers: AnswerHeaders) => void
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

function judge(transport: Transport, hint: string, response: Answer, text: string): Exchange {
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

async function readBounded(response: Answer, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw garbage(response.status, `more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function redirected(response: Answer): Promise<Exchange> {
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
