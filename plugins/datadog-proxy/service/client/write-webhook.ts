import { DatadogError } from '../../contract.ts'
import type { DatadogWebhook } from './account.ts'
import type { Sdk } from './load-sdk.ts'
import { pathPart } from './path-part.ts'
import { defined, isObject, objectOf, parseJson, textOf } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

/** One webhook by name, undefined when there is none; Datadog has no list of them. */
export async function getWebhook(
  call: Call,
  sdk: Sdk,
  name: string
): Promise<DatadogWebhook | undefined> {
  const part = pathPart(name, 'the name of a webhook')
  try {
    return toWebhook(
      await call.read(needs('integrations_read'), async () =>
        (await sdk.v1()).webhooks.getWebhooksIntegration(part)
      )
    )
  } catch (error) {
    if (error instanceof DatadogError && error.failure === 'not_found') return undefined
    throw error
  }
}

/** Makes a webhook. One of that name that says the same is success, one that says something else is `conflict`. */
export async function createWebhook(
  call: Call,
  sdk: Sdk,
  webhook: DatadogWebhook
): Promise<DatadogWebhook> {
  const existing = await getWebhook(call, sdk, webhook.name)
  if (existing) return unchanged(existing, webhook)
  try {
    return toWebhook(
      await call.write(needs('manage_integrations'), async () =>
        (await sdk.v1()).webhooks.createWebhooksIntegration({
          name: webhook.name,
          ...fieldsOf(webhook)
        })
      )
    )
  } catch (error) {
    // Somebody else was quicker: names are unique, and Datadog says so with a 400.
    if (!(error instanceof DatadogError && /already exists/i.test(error.message))) throw error
    const other = await getWebhook(call, sdk, webhook.name)
    if (!other) throw error
    return unchanged(other, webhook)
  }
}

/** Sets the fields given of an existing webhook; the others stay. */
export async function updateWebhook(
  call: Call,
  sdk: Sdk,
  webhook: DatadogWebhook
): Promise<DatadogWebhook> {
  const part = pathPart(webhook.name, 'the name of a webhook')
  return toWebhook(
    await call.write(needs('manage_integrations'), async () =>
      (await sdk.v1()).webhooks.updateWebhooksIntegration(part, fieldsOf(webhook))
    )
  )
}

function fieldsOf({ url, payload, customHeaders, encodeAs }: DatadogWebhook) {
  // Datadog wants the headers as one JSON text, not as an object.
  return {
    url,
    ...defined({ payload, encodeAs, customHeaders: customHeaders && JSON.stringify(customHeaders) })
  }
}

function unchanged(existing: DatadogWebhook, wanted: DatadogWebhook): DatadogWebhook {
  const same =
    existing.url === wanted.url &&
    (wanted.payload === undefined || wanted.payload === existing.payload) &&
    (wanted.customHeaders === undefined ||
      JSON.stringify(sorted(wanted.customHeaders)) ===
        JSON.stringify(sorted(existing.customHeaders ?? {})))
  if (same) return existing
  throw new DatadogError(
    'conflict',
    `Datadog already has a webhook named '${wanted.name}' that sends something else or elsewhere`
  )
}
const sorted = (headers: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1))

function toWebhook(answer: unknown): DatadogWebhook {
  const raw = objectOf(answer)
  const [name, url] = [textOf(raw['name']), textOf(raw['url'])]
  if (name === undefined || url === undefined)
    throw new DatadogError('garbage', 'Datadog answered a webhook without its name and URL', {
      datadogStatus: 200
    })
  const encodeAs = raw['encode_as'] === 'form' ? ('form' as const) : ('json' as const)
  return {
    name,
    url,
    encodeAs,
    ...defined({ payload: textOf(raw['payload']), customHeaders: headersOf(raw['custom_headers']) })
  }
}

function headersOf(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined
  let parsed: unknown
  try {
    parsed = parseJson(value)
  } catch {
    return undefined
  }
  return isObject(parsed)
    ? Object.fromEntries(Object.entries(parsed).map(([key, text]) => [key, String(text)]))
    : undefined
}
