import { createSdk } from '../../plugins/datadog-proxy/service/client/load-sdk.ts'
import { say } from '../process/own-process.ts'

/** What the first v1 and the first v2 call of a process pay for the official client. */
export interface SdkCost {
  readonly v1Ms: number
  readonly v2Ms: number
  readonly rss: number
}

const before = process.memoryUsage().rss
const sdk = createSdk('http://127.0.0.1:9', { apiKey: 'k', appKey: 'p' })
const begun = performance.now()
await sdk.v1()
const between = performance.now()
await sdk.v2()
say({
  v1Ms: between - begun,
  v2Ms: performance.now() - between,
  rss: process.memoryUsage().rss - before
} satisfies SdkCost)
