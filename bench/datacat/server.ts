import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  askDatabase,
  createHome,
  freePort,
  startProduct,
  type Product
} from '../process/product.ts'
import { batchSender } from './batch-sender.ts'
import { callJson } from './connection.ts'

export const datacatEnvironment = { NODE_ENV: 'production', RAYNE_PLUGINS: 'datacat' }

/** The server that is measured, over restarts. */
export interface Datacat {
  readonly url: string
  readonly home: string
  readonly product: Product
  /** Stops server and PostgreSQL in order, does `between`, and starts them again. */
  restart(between?: () => void): Promise<void>
  /** Runs a baseline while the server stands still. */
  frozen<T>(work: () => Promise<T>): Promise<T>
  /** New sessions, by their ids. */
  createSessions(count: number): Promise<string[]>
  /** Appends points of one metric to a session, 1,000 a batch, one millisecond apart. */
  fill(session: string, points: number): Promise<void>
  /** Points in the database of these sessions. */
  storedPoints(sessions: readonly string[]): Promise<number>
  end(): Promise<void>
}

export const metricName = 'cpu_usage'

/** Waits until the server takes requests; throws when it ends before. */
export async function untilReady(product: Product, limitMs = 60_000): Promise<void> {
  let gone = false
  void product.exited.then(() => {
    gone = true
  })
  for (const until = performance.now() + limitMs; performance.now() < until; await sleep(20)) {
    if (gone) throw new Error(`the server (pid ${product.pid}) ended before it was ready`)
    if (
      await callJson(product.url, 'GET', '/readyz').then(
        () => true,
        () => false
      )
    )
      return
  }
  throw new Error(`the server was not ready within ${limitMs / 1000} s`)
}

/** Starts the server in an empty folder; a CPU profile holds the time to the first restart. */
export async function startDatacat(profile: string | undefined): Promise<Datacat> {
  const { home, remove } = await createHome()
  const port = await freePort()
  let product = startProduct({ home, port, env: datacatEnvironment, profile })
  const { url } = product
  await untilReady(product)
  return {
    url,
    home,
    get product() {
      return product
    },
    async restart(between) {
      await product.stop()
      between?.()
      product = startProduct({ home, port, env: datacatEnvironment })
      await untilReady(product)
    },
    async frozen(work) {
      product.pause()
      try {
        return await work()
      } finally {
        product.resume()
      }
    },
    createSessions: count => createSessions(url, count),
    fill: (session, points) => fill(url, session, points),
    async storedPoints(sessions) {
      const [row] = await askDatabase<{ stored: string }>(
        home,
        `select count(*) as stored
        from datacat_points p
        join datacat_series s on s.id = p.series_id
        join datacat_sessions d on d.key = s.session_key
        where d.id = any($1::uuid[])`,
        [sessions]
      )
      return Number(row?.stored)
    },
    async end() {
      await (profile === undefined ? product.kill() : product.stop())
      await remove()
    }
  }
}

async function createSessions(url: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  let next = 0
  const drive = async (): Promise<void> => {
    for (let id = ids[next++]; id; id = ids[next++])
      await callJson(url, 'POST', '/v1/datacat/sessions', {
        id,
        product: 'bench',
        version: '1.0.0'
      })
  }
  await Promise.all(Array.from({ length: Math.min(16, count) }, drive))
  return ids
}

async function fill(url: string, session: string, points: number): Promise<void> {
  let next = 0
  const sender = (): ReturnType<typeof batchSender> =>
    batchSender({ url, session, points: 1_000, names: [metricName] })
  const drive = async (): Promise<void> => {
    const { send, close } = sender()
    for (let n = next++; n < points / 1_000; n = next++) await send(`fill-${n}`, n)
    close()
  }
  await Promise.all(Array.from({ length: 4 }, drive))
}
