/** Where webhooks go; only loopback addresses are ever called. */
export interface WebhookTarget {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}
/** What the receiver answered, and how many attempts that took. */
export interface Delivery {
  readonly status: number
  readonly body: string
  readonly attempts: number
  readonly sent: string
}

/** Where webhooks that were written through the API may go, besides the target chosen at start. */
export type StoredWebhooksGo = 'to the target only' | 'to other programs of this machine'

const TIMEOUT_MS = 15_000
const ATTEMPTS = 5
const MAX_ANSWER_BYTES = 64 * 1024
const retryDelayMs = (attempt: number): number => Math.min(2000, 100 * 2 ** attempt)

/** An http(s) address of this machine's loopback interface; throws a sentence for any other. */
function loopbackUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHere =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (!isHere)
    throw new Error(`webhooks are delivered to loopback addresses only, not to '${text}'`)
  return url
}

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80')

/**
 * Refuses an address that a stored webhook must not reach: whoever may write webhooks would otherwise speak to
 * Rayne as this machine. The target chosen at start may be called, and nothing else behind its port.
 */
export function checkStoredUrl(
  text: string,
  target: WebhookTarget | undefined,
  go: StoredWebhooksGo,
  closedPorts: readonly number[]
): void {
  const url = loopbackUrl(text)
  const chosen = target && loopbackUrl(target.url)
  if (chosen && url.origin === chosen.origin && url.pathname === chosen.pathname) return
  if (go === 'to the target only')
    throw new Error(`stored webhooks are delivered to the target chosen at start, not to '${text}'`)
  const closed = [...closedPorts.map(String), ...(chosen ? [portOf(chosen)] : [])]
  if (closed.includes(portOf(url)))
    throw new Error(`stored webhooks are not delivered to Rayne's own port, so not to '${text}'`)
}

/** Posts a body as it is; retries on 5xx and lost connections, as Datadog documents. */
export async function postWebhook(
  target: Required<WebhookTarget>,
  body: string
): Promise<Delivery> {
  loopbackUrl(target.url)
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(target.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...target.headers },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS)
      })
      const text = await beginningOf(response)
      if (response.status < 500 || attempt === ATTEMPTS)
        return { status: response.status, body: text, attempts: attempt, sent: body }
    } catch (error) {
      if (attempt === ATTEMPTS)
        throw new Error(
          `the webhook could not be delivered to '${target.url}' in ${ATTEMPTS} attempts`,
          { cause: error }
        )
    }
    await new Promise(resolve => setTimeout(resolve, retryDelayMs(attempt)))
  }
}

/** The answer, or as much of it as anybody looks at. */
async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= MAX_ANSWER_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8')
}
