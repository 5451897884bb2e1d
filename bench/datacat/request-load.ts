import { quantile } from '../figures.ts'
import { readInput, say } from '../process/own-process.ts'
import { createConnection, requestOf } from './connection.ts'
import type { LoadResult } from '../ingest/post-load.ts'

/** Each connection asks one path after the other, in turn over all of them; every request of a path is the same. */
export interface RequestLoadInput {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly paths: readonly string[]
  readonly body?: string
  readonly connections: number
  readonly seconds: number
}
/** `perSecond` counts 200 and 202; `bytes` is of the bodies of the answers. */
export interface RequestLoadResult extends LoadResult {
  readonly bytes: number
}

const input = await readInput<RequestLoadInput>()
const requests = input.paths.map(path => requestOf(input.url, input.method, path, input.body))
const statuses: Record<string, number> = {}
const latencies: number[] = []
let sent = 0
let lost = 0
let bytes = 0
const begun = performance.now()
const until = begun + input.seconds * 1000

async function drive(): Promise<void> {
  const connection = createConnection(input.url, { keep: false })
  for (let asked = begun; asked < until; asked = performance.now()) {
    const answer = await connection.ask(requests[sent++ % requests.length]!).catch(() => undefined)
    if (!answer) {
      lost += 1
      continue
    }
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    bytes += answer.bytes
    latencies.push(performance.now() - asked)
  }
  connection.close()
}

await Promise.all(Array.from({ length: input.connections }, drive))
const elapsed = (performance.now() - begun) / 1000
const accepted = (statuses['200'] ?? 0) + (statuses['202'] ?? 0)
say({
  sent,
  perSecond: accepted / elapsed,
  statuses,
  lost,
  bytes,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99)
} satisfies RequestLoadResult)
