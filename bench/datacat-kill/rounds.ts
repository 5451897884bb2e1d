import { setTimeout as sleep } from 'node:timers/promises'
import { print, whole } from '../figures.ts'
import { untilReady } from '../datacat/server.ts'
import { createRandom } from '../kill/random.ts'
import type { Product } from '../process/product.ts'
import { cutConnections } from './cut.ts'
import type { SessionLedger } from './ledger.ts'
import { createSender, type Sender } from './sender.ts'

export interface KillInput {
  readonly url: string
  readonly home: string
  readonly kills: number
  readonly connections: number
  readonly seed: number
  readonly loadMs: number
  start(): Product
}
export interface Kill {
  readonly number: number
  readonly when: 'load' | 'start'
  readonly afterMs: number
  readonly processes: number
  readonly readyMs: number | undefined
  readonly connectionsCut: number
}
export interface KillRun {
  readonly kills: readonly Kill[]
  readonly ledgers: readonly SessionLedger[]
  readonly counts: Sender['counts']
  readonly product: Product
}

const startMs = 1_500
/** One in so many kills comes while the server is still starting. */
const duringStart = 8

/** A door senders wait at while the server is away; closed twice, it is still one door. */
function createGate() {
  let waiting: PromiseWithResolvers<void> | undefined
  return {
    opened: async () => {
      await waiting?.promise
      await sleep(5)
    },
    close: () => {
      waiting ??= Promise.withResolvers<void>()
    },
    open: () => {
      waiting?.resolve()
      waiting = undefined
    }
  }
}

/** Keeps the load up over all kills; every server but the last dies by SIGKILL with its PostgreSQL. */
export async function killUnderLoad({
  url,
  home,
  kills,
  connections,
  seed,
  loadMs,
  start
}: KillInput): Promise<KillRun> {
  const random = createRandom(seed)
  const gate = createGate()
  let stopping = false
  let failure: Error | undefined
  let product = start()
  await untilReady(product)
  const senders = Array.from({ length: connections }, (_, n) =>
    createSender({
      url,
      seed: seed * 1_000 + n,
      opened: gate.opened,
      isStopping: () => stopping || failure !== undefined
    })
  )
  const work = Promise.all(
    senders.map(sender =>
      sender.run().catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error(String(error))
      })
    )
  )
  const done: Kill[] = []
  for (let number = 1; number <= kills && !failure; number++) {
    const when = number > 1 && Math.floor(random() * duringStart) === 0 ? 'start' : 'load'
    const afterMs = when === 'start' ? random() * startMs : 50 + random() * loadMs
    if (when === 'load' && number > 1) {
      await untilReady(product)
      gate.open()
    }
    const readyMs = when === 'load' ? performance.now() - product.startedAt : undefined
    const cutAt = when === 'load' && random() < 0.5 ? random() * afterMs : undefined
    await sleep(cutAt ?? afterMs)
    const connectionsCut = cutAt === undefined ? 0 : await cutConnections(home)
    await sleep(cutAt === undefined ? 0 : afterMs - cutAt)
    gate.close()
    done.push({ number, when, afterMs, readyMs, connectionsCut, processes: await product.kill() })
    product = start()
    if (number % 10 === 0)
      print(
        `  … ${number} kills, ${whole(senders.reduce((sum, sender) => sum + sender.counts.requests, 0))} requests`
      )
  }
  await untilReady(product)
  gate.open()
  await sleep(failure ? 0 : loadMs / 2)
  stopping = true
  await work
  if (failure) throw failure
  return {
    kills: done,
    product,
    ledgers: senders.flatMap(sender => sender.ledgers),
    counts: sumOf(senders)
  }
}

function sumOf(senders: readonly Sender[]): Sender['counts'] {
  const total = (pick: (counts: Sender['counts']) => number): number =>
    senders.reduce((sum, sender) => sum + pick(sender.counts), 0)
  return {
    requests: total(counts => counts.requests),
    repeated: total(counts => counts.repeated),
    duplicates: total(counts => counts.duplicates),
    unanswered: total(counts => counts.unanswered),
    abandoned: total(counts => counts.abandoned)
  }
}
