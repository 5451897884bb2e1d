import { setTimeout as sleep } from 'node:timers/promises'
import { megabytes, median, print, table, whole } from '../figures.ts'
import type { AlertBody } from '../payload.ts'
import { createHome, freePort, startProduct, type Product } from '../process/product.ts'
import { untilAccepted } from './first-answer.ts'
import type { Variant } from './variants.ts'

type Memory = ReturnType<Product['memory']>
export interface Starts {
  readonly variant: string
  readonly title: string
  readonly first: readonly number[]
  readonly second: readonly number[]
  readonly memory: readonly Memory[]
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
    }
    await empty.stop()
    await (await start('second', second)).stop()
    await remove()
  }
  return { variant: variant.id, title: variant.title, first, second, memory }
}

export function printStarts(all: readonly Starts[]): void {
  print('\nStart to first 202, in ms')
  print(
    table(
      ['', ...(all[0]?.first ?? []).map((_, n) => `start ${n + 1}`), 'median'],
      all.flatMap(({ variant, first, second }) => [
        [`${variant}, empty folder`, ...first.map(whole), whole(median(first))],
        [`${variant}, second start`, ...second.map(whole), whole(median(second))]
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
        'postgres resident',
        'postgres proportional',
        'postgres processes',
        'reads'
      ],
      all.map(({ variant, memory }) => [
        variant,
        middle(memory, m => m.node.rss),
        middle(memory, m => m.postgres.rss),
        middle(memory, m => m.postgres.shared),
        median(memory.map(m => m.postgresProcesses)),
        memory.length
      ])
    )
  )
}
