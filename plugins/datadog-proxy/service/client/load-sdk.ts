import type { RequestContext } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/http/http.js'
import { setImmediate as otherWork } from 'node:timers/promises'
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
  return {
    /** A GET of any path, for what the request factories do not know or keep switched off. */
    async get(path: string, query: Readonly<Record<string, string>>): Promise<RequestContext> {
      const [config, { HttpMethod }, { applySecurityAuthentication }] = await Promise.all([
        configured(),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/http/http.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/configuration.js')
      ])
      const request = config.getServer('v1.get').makeRequestContext(path, HttpMethod.GET)
      request.setHeaderParam('Accept', 'application/json')
      for (const [name, value] of Object.entries(query)) request.setQueryParam(name, value, '')
      applySecurityAuthentication(config, request, ['apiKeyAuth', 'appKeyAuth'])
      return request
    },
    v1: once(async () => {
      const config = await configured()
      return withModelsWhenUsed(async () => {
        await import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/models/ObjectSerializer.js')
        await otherWork()
        return (await import('./sdk-v1.ts')).createV1(config)
      })
    }),
    v2: once(async () => {
      const config = await configured()
      return withModelsWhenUsed(async () => {
        await import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/models/ObjectSerializer.js')
        await otherWork()
        return (await import('./sdk-v2.ts')).createV2(config)
      })
    })
  }
}
export type Sdk = ReturnType<typeof createSdk>

async function configure(baseUrl: string, keys: Keys): Promise<Configuration> {
  const [{ createConfiguration }, { BaseServerConfiguration }, { logger }] = await Promise.all([
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/configuration.js'),
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/servers.js'),
    import('@datadog/datadog-api-client/dist/logger.js')
  ])
  await otherWork()
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
