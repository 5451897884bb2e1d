import { quantile } from '../figures.ts'
import { readInput, say } from '../process/own-process.ts'
import { createBatch, firstSecond } from './batch.ts'
import { createConnection } from './connection.ts'
import type { LoadResult } from '../ingest/post-load.ts'

/** One client for each session, one batch after the other. `sent` and `perSecond` of the result count points. */
export interface BatchLoadInput {
  readonly url: string
  readonly sessions: readonly string[]
  readonly points: number
  readonly seconds: number
  readonly round: string
  readonly secondAt: number
}

const input = await readInput<BatchLoadInput>()
const names = Array.from({ length: 10 }, (_, n) => `metric_${n}`)
const clients = input.sessions.map(session => ({
  batch: createBatch({ url: input.url, session, points: input.points, names }),
  connection: createConnection(input.url)
}))
const statuses: Record<string, number> = {}
const latencies: number[] = []
let sent = 0
let lost = 0
const begun = performance.now()
const until = begun + input.seconds * 1000

async function drive({ batch, connection }: (typeof clients)[number]): Promise<void> {
  for (let n = 0, asked = begun; asked < until; n++, asked = performance.now()) {
    sent += input.points
    const answer = await connection
      .ask(batch.next(`${input.round}-${n}`, firstSecond + input.secondAt + n))
      .catch(() => undefined)
    if (!answer) {
      lost += 1
      continue
    }
    const said =
      answer.status === 200 && answer.text.includes(`"accepted":${input.points}`)
        ? 'accepted'
        : String(answer.status)
    statuses[said] = (statuses[said] ?? 0) + 1
    latencies.push(performance.now() - asked)
  }
  connection.close()
}

await Promise.all(clients.map(drive))
const elapsed = (performance.now() - begun) / 1000
say({
  sent,
  perSecond: ((statuses['accepted'] ?? 0) * input.points) / elapsed,
  statuses,
  lost,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99)
} satisfies LoadResult)
