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
  let product = start()
  await untilReady(product)
  const load = startLoad({ url, connections, seed, opened: gate.opened })
  const done: Kill[] = []
  for (let number = 1; number <= kills && !load.failure(); number++) {
    const when = number > 1 && Math.floor(random() * duringStart) === 0 ? 'start' : 'load'
    const afterMs = when === 'start' ? random() * startMs : 50 + random() * loadMs
    if (when === 'load' && number > 1) {
      await untilReady(product)
      gate.open()
    }
    const readyMs = when === 'load' ? performance.now() - product.startedAt : undefined
    const cutAtMs = when === 'load' && random() < 0.5 ? random() * afterMs : undefined
    const connectionsCut = await sleepAndCut(home, afterMs, cutAtMs)
    gate.close()
    done.push({ number, when, afterMs, readyMs, connectionsCut, processes: await product.kill() })
    product = start()
    if (number % 10 === 0) print(`  … ${number} kills, ${whole(load.counts().requests)} requests`)
  }
  await untilReady(product)
  gate.open()
  await sleep(load.failure() ? 0 : loadMs / 2)
  return { kills: done, product, ledgers: await load.stop(), counts: load.counts() }
}

/** Waits, and in the middle of it cuts the server's connections to its database; answers how many. */
async function sleepAndCut(
  home: string,
  afterMs: number,
  cutAtMs: number | undefined
): Promise<number> {
  await sleep(cutAtMs ?? afterMs)
  if (cutAtMs === undefined) return 0
  const connectionsCut = await cutConnections(home)
  await sleep(afterMs - cutAtMs)
  return connectionsCut
}

/** Senders that go on until they are stopped or one of them fails. */
function startLoad({
  url,
  connections,
  seed,
  opened
}: Pick<KillInput, 'url' | 'connections' | 'seed'> & { opened(): Promise<void> }) {
  let isStopping = false
  let failure: Error | undefined
  const senders = Array.from({ length: connections }, (_, n) =>
    createSender({
      url,
      seed: seed * 1_000 + n,
      opened,
      isStopping: () => isStopping || failure !== undefined
    })
  )
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error(String(error))
  }
  const work = Promise.all(senders.map(sender => sender.run().catch(fail)))
  return {
    failure: () => failure,
    counts: () => sumOf(senders),
    /** Waits for what is under way; throws what failed. */
    async stop(): Promise<SessionLedger[]> {
      isStopping = true
      await work
      if (failure) throw failure
      return senders.flatMap(sender => sender.ledgers)
    }
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
