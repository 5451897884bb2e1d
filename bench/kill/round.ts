import { setTimeout as sleep } from 'node:timers/promises'
import { askDatabase, type Product } from '../process/product.ts'
import { untilAccepted } from '../ingest/first-answer.ts'
import { missingEvents } from './outcome.ts'
import { createPoster, type Sent } from './poster.ts'

export interface RoundInput {
  readonly number: number
  readonly product: Product
  readonly home: string
  readonly prefix: string
  readonly posts: number
  readonly concurrency: number
  readonly bodyOf: (key: string) => string
  readonly random: () => number
  start(): Product
}
export interface Round {
  readonly number: number
  readonly product: Product
  readonly sent: readonly Sent[]
  /** Acknowledgements when the kill was sent. */
  readonly killedAt: number
  readonly processes: number
  /** Acknowledged before the kill and not in the database right after the restart. */
  readonly missing: readonly string[]
  readonly again: number
  readonly alreadyStored: number
  readonly readyMs: number
  readonly firstAnalysisMs: number
  readonly failures: Readonly<Record<string, number>>
}

/** Posts, kills the whole tree at a random moment, starts it again while the sender keeps trying. */
export async function killDuringPosts(input: RoundInput): Promise<Round> {
  const { number, home, random, posts } = input
  const keys = Array.from({ length: posts }, (_, n) => `${input.prefix}${number}-${n}`)
  const poster = createPoster({
    url: input.product.url,
    keys,
    bodyOf: input.bodyOf,
    concurrency: input.concurrency
  })
  poster.done.catch(() => {})
  await poster.reached(Math.max(1, Math.floor(posts * (0.05 + 0.9 * random()))))
  await sleep(random() * 15)
  const before = poster.sent.filter(alert => alert.eventId !== undefined)
  const processes = await input.product.kill()
  const restarted = new Date()
  const product = input.start()
  // A resent alert of the last round: an answer that changes nothing.
  const readyMs = await untilAccepted(product, input.bodyOf(before[0]?.key ?? ''))
  const missing = await missingEvents(home, input.prefix, before)
  const firstAnalysis = untilAnalysed(home, restarted)
  await poster.done
  return {
    number,
    product,
    sent: poster.sent,
    killedAt: before.length,
    processes,
    missing,
    readyMs,
    failures: poster.failures,
    again: poster.sent.filter(alert => alert.attempts > 1).length,
    alreadyStored: poster.sent.filter(alert => alert.duplicateAnswers > 0).length,
    firstAnalysisMs: await firstAnalysis
  }
}

/** Milliseconds from a moment to the first analysis that ended after it. */
async function untilAnalysed(home: string, since: Date, limitMs = 60_000): Promise<number> {
  for (const until = Date.now() + limitMs; Date.now() < until; await sleep(50)) {
    const [row] = await askDatabase<{ at: Date | null }>(
      home,
      "select min(finished_at) as at from rca_analyses where status = 'done' and finished_at > $1",
      [since]
    )
    if (row?.at) return row.at.getTime() - since.getTime()
  }
  return Number.NaN
}
