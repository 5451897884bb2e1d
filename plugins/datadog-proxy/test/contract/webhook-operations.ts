import assert from 'node:assert/strict'
import type { DatadogWebhook } from '../../service/client/account.ts'
import { operation, type Driven, type Operation } from './operation.ts'
import { at, garbageUnless, lastPart, objectOf, textAt } from './read-recorded.ts'
import type { RecordedRequest, RecordedResponse } from './recordings.ts'

/** Headers are JSON inside a text; other texts stand for none. */
function headersIn(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined
  try {
    const parsed: unknown = JSON.parse(value)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
    return Object.fromEntries(Object.entries(parsed).map(([name, text]) => [name, String(text)]))
  } catch {
    return undefined
  }
}

/** What a recorded body asks for, under the name it is asked for by. */
function webhookOf(name: string, body: unknown, usualUrl: string): DatadogWebhook {
  const payload = textAt(body, 'payload')
  const customHeaders = headersIn(at(body, 'custom_headers'))
  const encodeAs = at(body, 'encode_as')
  return {
    name,
    url: textAt(body, 'url') ?? usualUrl,
    ...(payload === undefined ? {} : { payload }),
    ...(customHeaders === undefined ? {} : { customHeaders }),
    ...(encodeAs === 'json' || encodeAs === 'form' ? { encodeAs } : {})
  }
}

const isWebhook = ({ interaction: { response } }: Driven) =>
  garbageUnless(
    textAt(response.body, 'name') !== undefined && textAt(response.body, 'url') !== undefined
  )

function verifyWebhook(
  webhook: DatadogWebhook | undefined,
  { interaction: { response } }: Driven
): void {
  const { body } = response
  assert.deepEqual(
    [webhook?.name, webhook?.url, webhook?.payload, webhook?.customHeaders, webhook?.encodeAs],
    [
      textAt(body, 'name'),
      textAt(body, 'url'),
      textAt(body, 'payload'),
      headersIn(at(body, 'custom_headers')),
      at(body, 'encode_as') === 'form' ? 'form' : 'json'
    ]
  )
}

const missing: RecordedResponse = {
  status: 404,
  headers: { 'content-type': 'application/json' },
  body: { errors: ['Webhook does not exist'] }
}
// The search before the creation finds nothing, as it did when the recording was made.
const noneYet = ({ method }: RecordedRequest): RecordedResponse | undefined =>
  method === 'GET' ? missing : undefined

const createWebhook = operation({
  first: noneYet,
  drive: (account, { interaction: { request } }) =>
    account.createWebhook(webhookOf(textAt(request.body, 'name') ?? '', request.body, '')),
  refuses: isWebhook,
  verify: verifyWebhook
})

/** The path has the name it had; a new one in the body is a rename, which the client does not make. */
const updateWebhook = operation({
  fills: ['body.url'],
  drive(account, { interaction }) {
    const { request, response } = interaction
    const url = textAt(response.body, 'url') ?? 'https://example.com/'
    return account.updateWebhook(webhookOf(lastPart(interaction), objectOf(request.body), url))
  },
  refuses: isWebhook,
  verify: verifyWebhook
})

const getWebhook = operation({
  goneIsFine: true,
  drive: (account, { interaction }) => account.webhook(lastPart(interaction)),
  refuses: isWebhook,
  verify(webhook, driven) {
    if (driven.interaction.response.status === 404) assert.equal(webhook, undefined)
    else verifyWebhook(webhook, driven)
  }
})

/** Recorded webhooks. */
export const webhookOperations: Readonly<Record<string, Operation>> = {
  'v1.WebhooksIntegrationApi.createWebhooksIntegration': createWebhook,
  'v1.WebhooksIntegrationApi.updateWebhooksIntegration': updateWebhook,
  'v1.WebhooksIntegrationApi.getWebhooksIntegration': getWebhook
}
