import { setTimeout as sleep } from 'node:timers/promises'
import { megabytes, median, print, table, whole } from '../figures.ts'
import type { AlertBody } from '../payload.ts'
import {
  connectionOf,
  createHome,
  freePort,
  startProduct,
  type Product
} from '../process/product.ts'
import { startHelper } from '../process/own-process.ts'
import { memoryOf } from '../process/tree.ts'
import { untilAccepted } from '../ingest/first-answer.ts'
import type { Variant } from '../ingest/variants.ts'

/** A start of the bare application: ms to its first 202, and its memory after the same rest. */
interface Bare {
  readonly first: number
  readonly memory: ReturnType<typeof memoryOf>
}
type Memory = ReturnType<Product['memory']>
export interface Starts {
  readonly variant: string
  readonly title: string
  readonly first: readonly number[]
  readonly second: readonly number[]
  readonly memory: readonly Memory[]
  /** The bare application beside it, on its database. */
  readonly bare: readonly Bare[]
}

const memoryReads = 3

/** Starts in an empty folder and once more in the same one; the first few rest before their memory is read. */
export async function measureStarts(
  variant: Variant,
  body: AlertBody,
  { starts, idleSeconds }: { starts: number; idleSeconds: number }
): Promise<Starts> {
  const first: number[] = []
  const second: number[] = []
  const memory: Memory[] = []
  const bare: Bare[] = []
  for (let n = 0; n < starts; n++) {
    const { home, remove } = await createHome()
    const port = await freePort()
    const start = async (key: string, figures: number[]): Promise<Product> => {
      const product = startProduct({ home, port, env: variant.env })
      // A recovery: accepted and stored like an alert, and nothing is analysed while memory is read.
      figures.push(await untilAccepted(product, body.of(key).replace('"Triggered"', '"Recovered"')))
      return product
    }
    const empty = await start('first', first)
    if (n < memoryReads) {
      await sleep(idleSeconds * 1000)
      memory.push(empty.memory())
      bare.push(await measureBare(home, body, idleSeconds))
    }
    await empty.stop()
    await (await start('second', second)).stop()
    await remove()
  }
  return { variant: variant.id, title: variant.title, first, second, memory, bare }
}

async function measureBare(home: string, body: AlertBody, idleSeconds: number): Promise<Bare> {
  const startedAt = performance.now()
  const server = await startHelper<{ url: string }>('bench/start/bare-server.ts', [
    JSON.stringify(connectionOf(home))
  ])
  const answer = await fetch(server.said.url, { method: 'POST', body: body.of('bare') })
  if (answer.status !== 202) throw new Error(`the bare application answered ${answer.status}`)
  const first = performance.now() - startedAt
  await sleep(idleSeconds * 1000)
  const memory = memoryOf([server.pid])
  await server.stop()
  return { first, memory }
}

export function printStarts(all: readonly Starts[]): void {
  print('\nStart to first 202, in ms')
  print(
    table(
      ['', ...(all[0]?.first ?? []).map((_, n) => `start ${n + 1}`), 'median'],
      all.flatMap(({ variant, first, second, bare }) => [
        [`${variant}, empty folder`, ...first.map(whole), whole(median(first))],
        [`${variant}, second start`, ...second.map(whole), whole(median(second))],
        [
          'bare Koa + pg, database runs',
          ...first.map((_, n) => whole(bare[n]?.first ?? Number.NaN)),
          whole(median(bare.map(each => each.first)))
        ]
      ])
    )
  )
  print(
    '\nMemory at rest (medians; resident counts pages shared between processes in each of them, ' +
      'proportional counts them once)'
  )
  const middle = (memory: readonly Memory[], pick: (each: Memory) => number): string =>
    megabytes(median(memory.map(pick)))
  print(
    table(
      [
        '',
        'node resident',
        'bare Koa + pg resident',
        'postgres resident',
        'postgres proportional',
        'postgres processes',
        'reads'
      ],
      all.map(({ variant, memory, bare }) => [
        variant,
        middle(memory, m => m.node.rss),
        megabytes(median(bare.map(each => each.memory.rss))),
        middle(memory, m => m.postgres.rss),
        middle(memory, m => m.postgres.shared),
        median(memory.map(m => m.postgresProcesses)),
        memory.length
      ])
    )
  )
}
