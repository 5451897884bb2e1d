import { readFileSync } from 'node:fs'
import type { Account, StoredWebhook } from '../world/accounts.ts'
import { transitionName, type Monitor, type Transition } from '../world/monitors.ts'
import { renderWebhook, webhookVariables, type WebhookVariables } from './webhook-template.ts'

/** Where webhooks go; only loopback addresses are ever called. */
export interface WebhookTarget {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}
/** Which alert to send: defaults are the scenario's own monitor and its newest alert. */
export interface FireRequest {
  readonly account?: string
  readonly monitor?: string
  readonly transition?: string
  readonly webhook?: string
}
/** What the receiver answered, and how many attempts that took. */
export interface Delivery {
  readonly status: number
  readonly body: string
  readonly attempts: number
  readonly sent: string
}

const TIMEOUT_MS = 15_000
const ATTEMPTS = 5
const retryDelay = (attempt: number): number => Math.min(2000, 100 * 2 ** attempt)

/** The payload template the product recommends; it is data shared with what installs it. */
const recommendedTemplate = (): string =>
  readFileSync(new URL('../../assets/datadog-webhook-payload.json', import.meta.url), 'utf8')

/** Renders and posts one alert; retries on 5xx and lost connections, as Datadog documents. */
export async function fire(
  accounts: readonly Account[],
  alertMonitor: string | undefined,
  target: WebhookTarget | undefined,
  request: FireRequest,
  now: number
): Promise<Delivery> {
  const { variables, stored } = renderAlert(accounts, alertMonitor, request, now)
  if (!stored && request.webhook !== undefined)
    throw new Error(`webhook '${request.webhook}' does not exist`)
  return deliver(variables, stored, target)
}

/** Posts one alert to a stored webhook, or to the target with the recommended payload. */
export function deliver(
  variables: WebhookVariables,
  stored: StoredWebhook | undefined,
  target: WebhookTarget | undefined
): Promise<Delivery> {
  const chosen = stored
    ? {
        url: stored.url,
        headers: JSON.parse(renderWebhook(stored.custom_headers ?? '{}', variables)) as Record<
          string,
          string
        >
      }
    : target
  if (!chosen) throw new Error('no webhook target is configured')
  return post(
    { url: renderWebhook(chosen.url, variables, false), headers: chosen.headers ?? {} },
    renderWebhook(stored?.payload ?? recommendedTemplate(), variables)
  )
}

/** The body `fire` would post, with the named webhook's own template or the recommended one. */
export function renderAlert(
  accounts: readonly Account[],
  alertMonitor: string | undefined,
  request: FireRequest,
  now: number
): { body: string; variables: WebhookVariables; stored: StoredWebhook | undefined } {
  const { account, variables } = chooseAlert(accounts, alertMonitor, request, now)
  const stored = request.webhook === undefined ? undefined : account.webhooks.get(request.webhook)
  return {
    body: renderWebhook(stored?.payload ?? recommendedTemplate(), variables),
    variables,
    stored
  }
}

/** The account, the monitor and the change that a request means. */
export function chooseAlert(
  accounts: readonly Account[],
  alertMonitor: string | undefined,
  request: FireRequest,
  now: number
) {
  const account =
    request.account === undefined
      ? (accounts.find(a => a.spec.incident) ?? accounts[0])
      : accounts.find(a => a.spec.name === request.account)
  const wanted = request.monitor ?? alertMonitor
  const monitor = account?.monitors.find(m => m.spec.name === wanted || String(m.id) === wanted)
  if (!account || !monitor)
    throw new Error(`no monitor '${wanted ?? ''}' in account '${request.account ?? ''}'`)
  const transition = transitionOf(monitor, request.transition, now)
  return {
    account,
    monitor,
    transition,
    variables: webhookVariables(
      account,
      monitor,
      transition,
      request.transition ?? transitionName(transition)
    )
  }
}

/** The newest change of the wanted kind, or one made up as of now when the monitor never made it. */
function transitionOf(monitor: Monitor, name: string | undefined, now: number): Transition {
  const wanted =
    name === undefined ? 'Triggered' : name.replace(/^Re-|^Renotify$/i, '') || 'Triggered'
  const found = monitor.last(now, transition => transitionName(transition) === wanted)
  const to = wanted.endsWith('Recovered')
    ? 'OK'
    : wanted === 'Warn'
      ? 'Warn'
      : wanted === 'No Data'
        ? 'No Data'
        : 'Alert'
  return (
    found ?? {
      at: now,
      group: '',
      from: to === 'OK' ? 'Alert' : 'OK',
      to,
      value: monitor.query.critical
    }
  )
}

/** True for http(s) addresses of this machine's loopback interface. */
function isLoopback(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return (
    parsed !== undefined &&
    /^https?:$/.test(parsed.protocol) &&
    /^(localhost|127(\.\d+){3}|\[::1\])$/.test(parsed.hostname)
  )
}

/** Posts a body as it is; retries on 5xx and lost connections, as Datadog documents. */
export async function post(target: Required<WebhookTarget>, body: string): Promise<Delivery> {
  if (!isLoopback(target.url))
    throw new Error(`webhooks are delivered to loopback addresses only, not to '${target.url}'`)
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(target.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...target.headers },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS)
      })
      const text = await response.text()
      if (response.status < 500 || attempt === ATTEMPTS)
        return { status: response.status, body: text, attempts: attempt, sent: body }
    } catch (error) {
      if (attempt === ATTEMPTS)
        throw new Error(
          `the webhook could not be delivered to '${target.url}' in ${ATTEMPTS} attempts`,
          { cause: error }
        )
    }
    await new Promise(resolve => setTimeout(resolve, retryDelay(attempt)))
  }
}
