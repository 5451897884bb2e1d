import type { CallOptions } from '../../contract.ts'
import type { OpenAccount } from './account.ts'
import { aggregateLogs } from './aggregate-logs.ts'
import { createCircuit } from './circuit.ts'
import { createEvent } from './create-event.ts'
import { listMonitors, searchMonitors, triggeredMonitors } from './find-monitors.ts'
import { getMonitor } from './get-monitor.ts'
import { getPath } from './get-path.ts'
import { listIncidents } from './list-incidents.ts'
import { listSlos, sloHistory } from './list-slos.ts'
import { muteHost } from './mute-host.ts'
import { searchRum } from './search-rum.ts'
import { listDowntimes } from './list-downtimes.ts'
import { listHosts } from './list-hosts.ts'
import { createSdk, type Keys, type Sdk } from './load-sdk.ts'
import { createLogTiers } from './log-tiers.ts'
import { queryMetric } from './query-metric.ts'
import { createRateLimits } from './rate-limit.ts'
import { allHostTags, hostTags, hostTotals } from './read-hosts.ts'
import { readPage } from './read-page.ts'
import { searchEvents } from './search-events.ts'
import { searchLogs } from './search-logs.ts'
import { searchSpans } from './search-spans.ts'
import type { Transport } from './exchange.ts'
import { startCall, type Call } from './send-request.ts'
import { listServices, saveService } from './service-catalog.ts'
import { checkKeys, validateKeys } from './validate-keys.ts'
import { cancelDowntime, createDowntime } from './write-downtime.ts'
import { createNotebook, findNotebook, getNotebook, updateNotebook } from './write-notebook.ts'
import { createWebhook, getWebhook, updateWebhook } from './write-webhook.ts'

/** An account whose addresses have been checked already. */
export interface AccountAddress {
  readonly name: string
  readonly site: string
  readonly simulated: boolean
  readonly appUrl: string
  readonly apiUrl: string
}

/** The typed calls of one account; nothing is loaded or sent before the first call. */
export function openAccount(
  address: AccountAddress,
  keys: Keys,
  pageSize: number,
  shared: Transport
): OpenAccount {
  const transport = {
    ...shared,
    limits: createRateLimits(),
    circuit: createCircuit({ where: shared.where })
  }
  const { apiUrl, ...about } = address
  const { appUrl } = about
  const sdk = createSdk(apiUrl, keys)
  const tiers = createLogTiers()
  const start = (options: CallOptions | undefined): Call => startCall(transport, options)
  return {
    ...about,
    ...writing(start, sdk, appUrl, pageSize),
    validate: async options => validateKeys(start(options), sdk),
    checkKeys: async options => checkKeys(start(options), sdk),
    monitor: async (id, options) => getMonitor(start(options), sdk, id),
    monitors: async (input, options) => listMonitors(start(options), sdk, pageSize, input),
    searchMonitors: async (input, options) => searchMonitors(start(options), sdk, pageSize, input),
    triggeredMonitors: async (input, options) =>
      triggeredMonitors(start(options), sdk, pageSize, input),
    events: async (input, options) => searchEvents(start(options), sdk, pageSize, input),
    logs: async (input, options) => searchLogs(start(options), sdk, pageSize, tiers, input),
    aggregateLogs: async (input, options) => aggregateLogs(start(options), sdk, input),
    spans: async (input, options) => searchSpans(start(options), sdk, pageSize, input),
    rumEvents: async (input, options) => searchRum(start(options), sdk, pageSize, input),
    incidents: async (input, options) => listIncidents(start(options), sdk, pageSize, input),
    slos: async (input, options) => listSlos(start(options), sdk, pageSize, input),
    sloHistory: async (input, options) => sloHistory(start(options), sdk, input),
    get: async (input, options) => getPath(start(options), sdk, input),
    hosts: async (input, options) => listHosts(start(options), sdk, pageSize, input),
    hostTotals: async (input, options) => hostTotals(start(options), sdk, input ?? {}),
    hostTags: async (host, options) => hostTags(start(options), sdk, host),
    allHostTags: async options => allHostTags(start(options), sdk),
    metric: async (input, options) => queryMetric(start(options), sdk, input),
    downtimes: async (input, options) => listDowntimes(start(options), sdk, pageSize, input),
    services: async (input, options) => listServices(start(options), sdk, pageSize, input),
    findNotebook: async (text, options) => findNotebook(start(options), sdk, appUrl, text),
    notebook: async (id, options) => getNotebook(start(options), sdk, appUrl, id),
    webhook: async (called, options) => getWebhook(start(options), sdk, called),
    page: async (request, options) => readPage(start(options), sdk, tiers, request)
  }
}

/** The calls that change something. */
const writing = (
  start: (options: CallOptions | undefined) => Call,
  sdk: Sdk,
  appUrl: string,
  pageSize: number
) =>
  ({
    createEvent: async (draft, options) => createEvent(start(options), sdk, appUrl, draft),
    muteHost: async (input, options) => muteHost(start(options), sdk, input),
    createDowntime: async (draft, options) => createDowntime(start(options), sdk, pageSize, draft),
    cancelDowntime: async (id, options) => cancelDowntime(start(options), sdk, id),
    saveService: async (schema, options) => saveService(start(options), sdk, schema),
    createNotebook: async (draft, options) => createNotebook(start(options), sdk, appUrl, draft),
    updateNotebook: async (id, draft, options) =>
      updateNotebook(start(options), sdk, appUrl, id, draft),
    createWebhook: async (webhook, options) => createWebhook(start(options), sdk, webhook),
    updateWebhook: async (webhook, options) => updateWebhook(start(options), sdk, webhook)
  }) satisfies Partial<OpenAccount>
