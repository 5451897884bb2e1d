import type { StoredWebhook } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { ok, type Call, type Route } from './route.ts'

const base = '/api/v1/integration/webhooks/configuration/webhooks'
export const webhookRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: base,
    op: 'v1.WebhooksIntegrationApi.createWebhooksIntegration',
    handle: create
  },
  {
    method: 'GET',
    path: `${base}/:name`,
    op: 'v1.WebhooksIntegrationApi.getWebhooksIntegration',
    handle: call => ok(resource(find(call)))
  },
  {
    method: 'PUT',
    path: `${base}/:name`,
    op: 'v1.WebhooksIntegrationApi.updateWebhooksIntegration',
    handle: update
  },
  {
    method: 'DELETE',
    path: `${base}/:name`,
    op: 'v1.WebhooksIntegrationApi.deleteWebhooksIntegration',
    handle: call => {
      call.account.webhooks.delete(find(call).name)
      return ok({})
    }
  }
]

/** Datadog's own payload when none is given, as recorded. */
const defaultPayload =
  '{"body": "$EVENT_MSG", "last_updated": "$LAST_UPDATED", "event_type": "$EVENT_TYPE", ' +
  '"title": "$EVENT_TITLE", "date": "$DATE", "org": {"id": "$ORG_ID", "name": "$ORG_NAME"}, "id": "$ID"}'

function find({ account, params }: Call): StoredWebhook {
  const webhook = account.webhooks.get(params['name'] ?? '')
  if (!webhook) throw refuse(404, 'Webhook does not exist')
  return webhook
}

function create(call: Call) {
  const given = fields(call.body)
  const { name, url } = given
  if (!name || !url) throw refuse(400, `missing required field '${name ? 'url' : 'name'}'`)
  if (call.account.webhooks.has(name)) throw refuse(400, 'Webhook already exists')
  const webhook = {
    name,
    url,
    payload: given.payload ?? defaultPayload,
    custom_headers: given.custom_headers ?? null,
    encode_as: given.encode_as ?? 'json'
  }
  call.account.webhooks.set(name, webhook)
  return { status: 201, body: resource(webhook) }
}

function update(call: Call) {
  const webhook = find(call)
  const { name: _fixed, ...given } = fields(call.body)
  Object.assign(webhook, given)
  return ok(resource(webhook))
}

function fields(body: unknown): Partial<StoredWebhook> {
  if (typeof body !== 'object' || body === null) throw refuse(400, 'Invalid JSON structure')
  const names = ['name', 'url', 'payload', 'custom_headers', 'encode_as'] as const
  const given = names
    .filter(name => Object.hasOwn(body, name))
    .map(name => [name, (body as Record<string, unknown>)[name]] as const)
  for (const [name, value] of given) {
    if (
      typeof value !== 'string' &&
      !(value === null && (name === 'custom_headers' || name === 'payload'))
    )
      throw refuse(400, `Invalid value for '${name}': it must be a string`)
  }
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      name === 'payload' && value === null ? defaultPayload : value
    ])
  )
}

const resource = ({ encode_as, url, custom_headers, name, payload }: StoredWebhook): object => ({
  encode_as,
  url,
  custom_headers,
  name,
  payload
})
