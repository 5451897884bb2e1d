import type { DatadogAccount } from '../contract.ts'
import { getMonitor } from './get-monitor.ts'
import { listHosts } from './list-hosts.ts'
import { createSdk, type Keys } from './load-sdk.ts'
import { queryMetric } from './query-metric.ts'
import { searchEvents } from './search-events.ts'
import { searchLogs } from './search-logs.ts'
import { startCall, type Transport } from './send-request.ts'
import { validateKeys } from './validate-keys.ts'
import { createNotebook, findNotebook } from './write-notebook.ts'

/** An account whose addresses have been checked already. */
export interface AccountAddress { readonly name: string; readonly site: string; readonly simulated: boolean; readonly appUrl: string; readonly apiUrl: string }

/** The typed calls of one account; nothing is loaded or sent before the first call. */
export function openAccount(address: AccountAddress, keys: Keys, pageSize: number, transport: Transport): DatadogAccount {
  const { name, site, simulated, appUrl } = address
  const sdk = createSdk(address.apiUrl, keys)
  return {
    name, site, simulated, appUrl,
    validate: async options => validateKeys(startCall(transport, options), sdk),
    monitor: async (id, options) => getMonitor(startCall(transport, options), sdk, id),
    events: async (input, options) => searchEvents(startCall(transport, options), sdk, pageSize, input),
    logs: async (input, options) => searchLogs(startCall(transport, options), sdk, pageSize, input),
    hosts: async (input, options) => listHosts(startCall(transport, options), sdk, pageSize, input),
    metric: async (input, options) => queryMetric(startCall(transport, options), sdk, input),
    createNotebook: async (draft, options) => createNotebook(startCall(transport, options), sdk, appUrl, draft),
    findNotebook: async (text, options) => findNotebook(startCall(transport, options), sdk, appUrl, text)
  }
}
