import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { untilAccepted } from '../ingest/first-answer.ts'
import { print, table } from '../figures.ts'
import type { AlertBody } from '../payload.ts'
import { root } from '../process/own-process.ts'
import { createHome, freePort, startProduct } from '../process/product.ts'
import type { Block } from './watch-loop.ts'

/** The longest blocks of the event loop, before and after the first answer, and the analyses that ended meanwhile. */
export interface FirstMinute {
  readonly analysed: number
  readonly loading: Block | undefined
  readonly serving: Block | undefined
}

/** Every plugin with the simulated Datadog: alerts come and are analysed in the minute after the first answer. */
export async function measureFirstMinute(body: AlertBody, seconds: number): Promise<FirstMinute> {
  const { home, remove } = await createHome()
  const file = path.join(home, 'loop.json')
  const watcher = pathToFileURL(path.join(root, 'bench/start/watch-loop.ts')).href
  const product = startProduct({
    home,
    port: await freePort(),
    env: {
      NODE_OPTIONS: `--import=${watcher}`,
      BENCH_LOOP_FILE: file
    }
  })
  await untilAccepted(product, body.of('first-minute'))
  const acceptedAt = Date.now()
  await sleep(seconds * 1000)
  const analysed = await countAnalysed(product.url)
  const blocks = JSON.parse(readFileSync(file, 'utf8')) as Block[]
  await product.stop()
  await remove()
  const longest = (found: readonly Block[]): Block | undefined =>
    [...found].sort((a, b) => b.ms - a.ms)[0]
  return {
    analysed,
    loading: longest(blocks.filter(block => block.endedAt <= acceptedAt)),
    serving: longest(blocks.filter(block => block.endedAt > acceptedAt))
  }
}

async function countAnalysed(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/webhooks/events?per_page=100`)
  const { events } = (await answer.json()) as { events: { status: string; rca?: unknown }[] }
  return events.filter(event => event.status === 'processed' && event.rca !== undefined).length
}

export function printFirstMinute({ analysed, loading, serving }: FirstMinute): void {
  const row = (title: string, block: Block | undefined): string[] => [
    title,
    block ? `${block.ms.toFixed(0)} ms` : 'below 20 ms',
    block ? `${block.computedMs.toFixed(0)} ms` : '-'
  ]
  print(`\nLongest block of the event loop, every plugin; ${analysed} analyses ended meanwhile`)
  print(
    table(
      ['', 'stood still', 'of that it computed'],
      [row('until the first answer', loading), row('in the minute after it', serving)]
    )
  )
}
