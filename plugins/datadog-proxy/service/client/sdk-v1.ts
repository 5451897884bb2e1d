import authentication from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/AuthenticationApi.js'
import events from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/EventsApi.js'
import hosts from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/HostsApi.js'
import metrics from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/MetricsApi.js'
import monitors from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/MonitorsApi.js'
import notebooks from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/NotebooksApi.js'
import tags from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/TagsApi.js'
import webhooks from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/WebhooksIntegrationApi.js'

/** What every request factory is made with: the same class in both versions. */
export type Configuration = ConstructorParameters<
  typeof authentication.AuthenticationApiRequestFactory
>[0]

/** The request factories of version 1 that we use; importing this file loads them. */
export const createV1 = (config: Configuration) => ({
  authentication: new authentication.AuthenticationApiRequestFactory(config),
  events: new events.EventsApiRequestFactory(config),
  hosts: new hosts.HostsApiRequestFactory(config),
  metrics: new metrics.MetricsApiRequestFactory(config),
  monitors: new monitors.MonitorsApiRequestFactory(config),
  notebooks: new notebooks.NotebooksApiRequestFactory(config),
  tags: new tags.TagsApiRequestFactory(config),
  webhooks: new webhooks.WebhooksIntegrationApiRequestFactory(config)
})
