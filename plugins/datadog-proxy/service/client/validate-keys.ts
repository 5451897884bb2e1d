import { DatadogError } from '../../contract.ts'
import type { KeyCheck } from './account.ts'
import type { Sdk } from './load-sdk.ts'
import { isObject } from './read-json.ts'
import type { Call } from './send-request.ts'

/** Checks both keys: v1 validate knows only the API key, so a monitor list follows for the application key. */
export async function validateKeys(call: Call, sdk: Sdk): Promise<void> {
  await validateApiKey(call, sdk)
  await validateAppKey(call, sdk)
}

/**
 * The same with a verdict for each key instead of an error; the second question is not asked when the first answer
 * makes it pointless.
 */
export async function checkKeys(call: Call, sdk: Sdk): Promise<readonly KeyCheck[]> {
  const api = await verdict('api_key', 'Datadog accepts the API key', () =>
    validateApiKey(call, sdk)
  )
  const app = api.ok
    ? await verdict('app_key', 'Datadog accepts the application key', () =>
        validateAppKey(call, sdk)
      )
    : {
        name: 'app_key' as const,
        ok: false,
        message: 'not asked, because the API key was not accepted'
      }
  return [api, app]
}

async function validateApiKey(call: Call, sdk: Sdk): Promise<void> {
  const answer = await call.read('The API key (DD_API_KEY) is not valid for this site', async () =>
    (await sdk.v1()).authentication.validate()
  )
  if (!isObject(answer) || typeof answer['valid'] !== 'boolean')
    throw new DatadogError(
      'garbage',
      'Datadog answered the key check without saying whether the key is valid',
      { datadogStatus: 200 }
    )
  if (!answer['valid'])
    throw new DatadogError('forbidden', 'Datadog says the API key (DD_API_KEY) is not valid', {
      datadogStatus: 200
    })
}

async function validateAppKey(call: Call, sdk: Sdk): Promise<void> {
  const monitors = await call.read(
    'The API key is valid, so it is the application key (DD_APP_KEY): it is wrong or lacks monitors_read',
    async () =>
      (await sdk.v1()).monitors.listMonitors(
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
        0,
        1
      )
  )
  if (!Array.isArray(monitors))
    throw new DatadogError('garbage', 'Datadog answered the monitor list without a list', {
      datadogStatus: 200
    })
}

async function verdict(
  name: KeyCheck['name'],
  message: string,
  ask: () => Promise<void>
): Promise<KeyCheck> {
  try {
    await ask()
  } catch (error) {
    if (!(error instanceof DatadogError)) throw error
    return { name, ok: false, message: error.message, failure: error.failure }
  }
  return { name, ok: true, message }
}
