import downtimes from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/DowntimesApi.js'
import events from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/EventsApi.js'
import logs from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/LogsApi.js'
import services from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/ServiceDefinitionApi.js'
import spans from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/SpansApi.js'
import type { Configuration } from './sdk-v1.ts'

/** The request factories of version 2 that we use; importing this file loads them. */
export const createV2 = (config: Configuration) => ({
  downtimes: new downtimes.DowntimesApiRequestFactory(config),
  events: new events.EventsApiRequestFactory(config),
  logs: new logs.LogsApiRequestFactory(config),
  services: new services.ServiceDefinitionApiRequestFactory(config),
  spans: new spans.SpansApiRequestFactory(config)
})
