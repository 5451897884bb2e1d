import { withModelsWhenUsed } from './load-models.ts'
import type { Configuration } from './sdk-v1.ts'

export interface Keys {
  readonly apiKey: string
  readonly appKey: string
}

/**
 * The official client's request factories for one account, loaded on first use: each part in a turn of the loop of its
 * own, and of its models only those that are used. Its answer processing is left aside on purpose: it turns an HTML
 * page into an empty result, throws on one missing field, rounds int64 ids and wraps undocumented statuses.
 */
export function createSdk(baseUrl: string, keys: Keys) {
  const configured = once(() => configure(baseUrl, keys))
  const v1 = once(async () => {
    const config = await configured()
    const { createV1 } = await withModelsWhenUsed(() => import('./sdk-v1.ts'))
    return createV1(config)
  })
  const v2 = once(async () => {
    const config = await configured()
    const { createV2 } = await withModelsWhenUsed(() => import('./sdk-v2.ts'))
    return createV2(config)
  })
  return { v1, v2 }
}
export type Sdk = ReturnType<typeof createSdk>

async function configure(baseUrl: string, keys: Keys): Promise<Configuration> {
  const [{ createConfiguration }, { BaseServerConfiguration }, { logger }] = await Promise.all([
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/configuration.js'),
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/servers.js'),
    import('@datadog/datadog-api-client/dist/logger.js')
  ])
  // Any DEBUG variable would make it write to stdout, which breaks an MCP stdio transport.
  logger.setLevel('silent', false)
  // Without an explicit server and both keys it reads DD_SITE, DD_API_KEY and DD_APP_KEY, for the whole process.
  return createConfiguration({
    baseServer: new BaseServerConfiguration(baseUrl, {}),
    authMethods: { apiKeyAuth: keys.apiKey, appKeyAuth: keys.appKey }
  })
}

/** Runs at most once successfully; a failed load is tried again by the next caller. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    }))
}
