import { createSdk } from '../../plugins/datadog-proxy/service/client/load-sdk.ts'
import { say } from '../process/own-process.ts'

/** What the first v1 and the first v2 request of a process pay for the official client. */
export interface SdkCost {
  readonly v1Ms: number
  readonly v2Ms: number
  /** The longest time in which the event loop did nothing else, of both. */
  readonly blockMs: number
  readonly rss: number
}

let longest = 0
let turn = performance.now()
const watch = (): void => {
  const now = performance.now()
  longest = Math.max(longest, now - turn)
  turn = now
  watching = setImmediate(watch)
}
let watching = setImmediate(watch)

const before = process.memoryUsage().rss
const sdk = createSdk('http://127.0.0.1:9', { apiKey: 'k', appKey: 'p' })
const cell = {
  type: 'notebook_cells' as const,
  attributes: { definition: { type: 'markdown' as const, text: 'a' } }
}
const begun = performance.now()
const v1 = await sdk.v1()
await v1.notebooks.createNotebook({
  data: { type: 'notebooks', attributes: { name: 'n', time: { liveSpan: '1h' }, cells: [cell] } }
})
const between = performance.now()
const v2 = await sdk.v2()
await v2.logs.listLogs({ filter: { query: 'a' }, sort: 'timestamp', page: { limit: 1 } })
const ended = performance.now()
await new Promise(resolve => {
  setTimeout(resolve, 50)
})
clearImmediate(watching)
say({
  v1Ms: between - begun,
  v2Ms: ended - between,
  blockMs: longest,
  rss: process.memoryUsage().rss - before
} satisfies SdkCost)
