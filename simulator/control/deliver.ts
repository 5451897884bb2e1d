import { readFileSync } from 'node:fs'
import type { StoredWebhook } from '../world/accounts.ts'
import { chooseAlert, type AlertSource, type FireRequest } from './choose-alert.ts'
import {
  checkStoredUrl,
  postWebhook,
  type Delivery,
  type StoredWebhooksGo,
  type WebhookTarget
} from './post-webhook.ts'
import { renderWebhook, type WebhookVariables } from './webhook-template.ts'

/** How webhooks leave: to the target chosen at start, and those stored in an account by the rules given. */
export interface Post {
  readonly target: WebhookTarget | undefined
  readonly storedGo: StoredWebhooksGo
  /** Ports that no stored webhook reaches: Rayne's own. */
  readonly closedPorts: readonly number[]
}

/** The payload template the product recommends; it is data shared with what installs it. */
const recommendedTemplate = (): string =>
  readFileSync(new URL('../../assets/datadog-webhook-payload.json', import.meta.url), 'utf8')

/** Renders and posts one alert; retries on 5xx and lost connections, as Datadog documents. */
export async function fire(
  source: AlertSource,
  post: Post,
  request: FireRequest
): Promise<Delivery> {
  const { variables, stored } = renderAlert(source, request)
  if (!stored && request.webhook !== undefined)
    throw new Error(`webhook '${request.webhook}' does not exist`)
  return deliver(variables, stored, post)
}

/** Posts one alert to a stored webhook, or to the target with the recommended payload. */
export async function deliver(
  variables: WebhookVariables,
  stored: StoredWebhook | undefined,
  post: Post
): Promise<Delivery> {
  const body = renderWebhook(stored?.payload ?? recommendedTemplate(), variables)
  if (!stored) {
    if (!post.target) throw new Error('no webhook target is configured')
    return postWebhook({ headers: {}, ...post.target }, body)
  }
  const url = renderWebhook(stored.url, variables, false)
  checkStoredUrl(url, post.target, post.storedGo, post.closedPorts)
  const headers: unknown = JSON.parse(renderWebhook(stored.custom_headers ?? '{}', variables))
  return postWebhook({ url, headers: headers as Record<string, string> }, body)
}

/** The body `fire` would post, with the named webhook's own template or the recommended one. */
export function renderAlert(
  source: AlertSource,
  request: FireRequest
): { body: string; variables: WebhookVariables; stored: StoredWebhook | undefined } {
  const { account, variables } = chooseAlert(source, request)
  const stored = request.webhook === undefined ? undefined : account.webhooks.get(request.webhook)
  return {
    body: renderWebhook(stored?.payload ?? recommendedTemplate(), variables),
    variables,
    stored
  }
}
