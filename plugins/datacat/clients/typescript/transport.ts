import { DatacatError, isRetryable, refusalOf } from './errors.ts'
import type { Json } from './wire.ts'

/** Where the server is and how long it may take; `timeoutMs` is per request, or per silence of a stream. */
export interface TransportOptions {
  readonly url: string
  readonly token?: string | undefined
  readonly timeoutMs: number
  /** How often a failed request is repeated, beside the first one. */
  readonly retries: number
  /** The first pause between two attempts in milliseconds; it doubles, up to ten seconds. */
  readonly backoffMs: number
  readonly fetch: typeof fetch
}

/** Options of one request. */
export interface SendOptions {
  readonly body?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
  readonly retries?: number | undefined
  /** Whether an answer is datacat's; what is not is an error `answer`. */
  readonly isAnswer?: ((answer: Json) => boolean) | undefined
}

/** The one place through which every request goes; rejects with DatacatError, or with the caller's abort reason. */
export interface Transport {
  send<T>(method: string, path: string, options?: SendOptions): Promise<T>
  /** The lines of a streamed answer; it is silent for at most `idleMs`. */
  lines(
    path: string,
    options: SendOptions & { readonly idleMs: number; readonly onOpen?: () => void }
  ): AsyncGenerator<string>
}

const longestPauseMs = 10_000
const longestRetryAfterMs = 30_000
const mostRedirects = 5

/** A pause of `ms` milliseconds; rejects with the abort reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** The pause before attempt `attempt + 1`, half of it random so that clients do not come back together. */
export const backoff = (attempt: number, baseMs: number, longestMs = longestPauseMs): number =>
  Math.min(longestMs, baseMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)

/** Waits for something shared until the caller has had enough; the work itself goes on. */
export function unless<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    work
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
      .catch(() => {})
  })
}

export function createTransport(options: TransportOptions): Transport {
  const base = options.url.replace(/(?<!\/)\/+$/, '')
  const authorization =
    options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
  const ask = (
    url: URL,
    method: string,
    { body, headers }: SendOptions,
    signal: AbortSignal
  ): Promise<Response> =>
    options.fetch(url.href, {
      method,
      signal,
      // fetch would make a GET of a write that is redirected.
      redirect: method === 'GET' ? 'follow' : 'manual',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(mayHaveToken(base, url) ? authorization : {}),
        ...headers
      },
      ...(body === undefined ? {} : { body })
    })
  async function request(
    method: string,
    path: string,
    sent: SendOptions,
    signal: AbortSignal
  ): Promise<Response> {
    let url = new URL(base + path, (globalThis as { location?: { href: string } }).location?.href)
    for (let redirects = 0; ; redirects++) {
      const response = await ask(url, method, sent, signal)
      const target = targetOf(response)
      if (target === undefined) return response
      await response.body?.cancel()
      if (target === '' || redirects === mostRedirects)
        throw new DatacatError(
          'answer',
          `${method} ${path} is redirected${target && ` to ${target}`}: give the client that address`,
          { status: response.status }
        )
      url = new URL(target, url)
    }
  }

  const once = async <T>(method: string, path: string, sent: SendOptions): Promise<T> => {
    const watch = watchdog(options.timeoutMs, sent.signal)
    try {
      const response = await request(method, path, sent, watch.signal)
      const text = await response.text()
      if (!response.ok) throw refusalOf(response.status, text, response.headers.get('retry-after'))
      return checked<T>(parseAnswer(text, response.status), sent, response.status)
    } catch (error) {
      throw watch.explain(error, `${method} ${path}`)
    } finally {
      watch.stop()
    }
  }

  const send = async <T>(method: string, path: string, sent: SendOptions = {}): Promise<T> => {
    const attempts = 1 + (sent.retries ?? options.retries)
    for (let attempt = 1; ; attempt++) {
      sent.signal?.throwIfAborted()
      try {
        return await once<T>(method, path, sent)
      } catch (error) {
        if (error instanceof DatacatError) error.attempts = attempt
        if (
          !isRetryable(error) ||
          attempt >= attempts ||
          (error.retryAfterMs ?? 0) > longestRetryAfterMs
        )
          throw error
        await pause(
          Math.max(error.retryAfterMs ?? 0, backoff(attempt, options.backoffMs)),
          sent.signal
        )
      }
    }
  }

  async function* lines(
    path: string,
    sent: SendOptions & { readonly idleMs: number; readonly onOpen?: () => void }
  ): AsyncGenerator<string> {
    const watch = watchdog(options.timeoutMs, sent.signal)
    try {
      const response = await request('GET', path, sent, watch.signal)
      if (!response.ok)
        throw refusalOf(response.status, await response.text(), response.headers.get('retry-after'))
      sent.onOpen?.()
      yield* splitLines(response, () => watch.restart(sent.idleMs))
    } catch (error) {
      throw watch.explain(error, `GET ${path}`)
    } finally {
      watch.stop()
    }
  }

  return { send, lines }
}

/** Where a write is to go instead, as it is; empty when a browser does not tell, or it would become another method. */
function targetOf({ type, status, headers }: Response): string | undefined {
  if (type === 'opaqueredirect' || status === 303) return ''
  return [301, 302, 307, 308].includes(status) ? (headers.get('location') ?? '') : undefined
}

/** A token goes to the host it was given for, and not from https to http. */
function mayHaveToken(base: string, url: URL): boolean {
  if (url.href.startsWith(base) || !URL.canParse(base)) return true
  const first = new URL(base)
  return (
    first.hostname === url.hostname && (first.protocol === 'http:' || url.protocol === 'https:')
  )
}

function checked<T>(answer: unknown, { isAnswer }: SendOptions, status: number): T {
  const isObject = typeof answer === 'object' && answer !== null
  if (isAnswer && !(isObject && isAnswer(answer as Json)))
    throw new DatacatError(
      'answer',
      `the answer is not datacat's: ${JSON.stringify(answer).slice(0, 80)}`,
      { status }
    )
  return answer as T
}

function parseAnswer(text: string, status: number): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new DatacatError(
      'answer',
      `the answer is not JSON, so this is no datacat: ${text.slice(0, 80)}`,
      { status, cause }
    )
  }
}

/** Ends a request after `ms`, or when the caller aborts, and says which of the two it was. */
function watchdog(
  ms: number,
  caller: AbortSignal | undefined
): {
  signal: AbortSignal
  restart(ms: number): void
  stop(): void
  explain(error: unknown, what: string): unknown
} {
  const controller = new AbortController()
  let limit = ms
  let late = false
  const expire = (): void => {
    late = true
    controller.abort()
  }
  const abort = (): void => controller.abort(caller?.reason)
  let timer = setTimeout(expire, ms)
  if (caller?.aborted) abort()
  caller?.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    restart(next) {
      clearTimeout(timer)
      limit = next
      timer = setTimeout(expire, next)
    },
    // Aborting what is complete is harmless, and lets go of a stream that was left early.
    stop() {
      clearTimeout(timer)
      caller?.removeEventListener('abort', abort)
      controller.abort()
    },
    explain(error, what) {
      if (caller?.aborted) return caller.reason
      if (late)
        return new DatacatError('timeout', `${what}: no answer within ${limit} ms`, {
          cause: error
        })
      if (error instanceof DatacatError) return error
      const cause = (error as { cause?: { code?: unknown; message?: unknown } } | null)?.cause
      return new DatacatError(
        'connection',
        `${what}: ${String(cause?.code ?? cause?.message ?? (error as Error | null)?.message ?? error)}`,
        { cause: error }
      )
    }
  }
}

async function* splitLines(response: Response, alive: () => void): AsyncGenerator<string> {
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    alive()
    const { done = true, value } = (await reader?.read()) ?? {}
    rest += decoder.decode(value, { stream: !done })
    const found = rest.split('\n')
    rest = found.pop() ?? ''
    for (const line of found) yield line.replace(/\r$/, '')
    if (done) break
  }
  if (rest !== '') yield rest.replace(/\r$/, '')
}
