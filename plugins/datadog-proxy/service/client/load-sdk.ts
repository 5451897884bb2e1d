import type { Configuration } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/configuration.js'

export interface Keys {
  readonly apiKey: string
  readonly appKey: string
}

/**
 * The official client's request factories for one account, loaded on first use: v1 costs 0.4 s, v2 1.5 s and 100 MB.
 * Its answer processing is left aside on purpose: it turns an HTML page into an empty result, throws on one missing
 * field, rounds int64 ids and wraps undocumented statuses.
 */
export function createSdk(baseUrl: string, keys: Keys) {
  const configured = once(() => configure(baseUrl, keys))
  const v1 = once(async () => {
    const [config, authentication, events, hosts, metrics, monitors, notebooks, tags, webhooks] =
      await Promise.all([
        configured(),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/AuthenticationApi.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/EventsApi.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/HostsApi.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/MetricsApi.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/MonitorsApi.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/NotebooksApi.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/TagsApi.js'),
        import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/WebhooksIntegrationApi.js')
      ])
    return {
      authentication: new authentication.AuthenticationApiRequestFactory(config),
      events: new events.EventsApiRequestFactory(config),
      hosts: new hosts.HostsApiRequestFactory(config),
      metrics: new metrics.MetricsApiRequestFactory(config),
      monitors: new monitors.MonitorsApiRequestFactory(config),
      notebooks: new notebooks.NotebooksApiRequestFactory(config),
      tags: new tags.TagsApiRequestFactory(config),
      webhooks: new webhooks.WebhooksIntegrationApiRequestFactory(config)
    }
  })
  const v2 = once(async () => {
    const [config, downtimes, events, logs, services, spans] = await Promise.all([
      configured(),
      import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/DowntimesApi.js'),
      import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/EventsApi.js'),
      import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/LogsApi.js'),
      import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/ServiceDefinitionApi.js'),
      import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/SpansApi.js')
    ])
    return {
      downtimes: new downtimes.DowntimesApiRequestFactory(config),
      events: new events.EventsApiRequestFactory(config),
      logs: new logs.LogsApiRequestFactory(config),
      services: new services.ServiceDefinitionApiRequestFactory(config),
      spans: new spans.SpansApiRequestFactory(config)
    }
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
