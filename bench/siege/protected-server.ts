import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  askDatabase,
  createHome,
  freePort,
  startProduct,
  type Product
} from '../process/product.ts'

/** A server that asks everybody who they are, and tokens for it. */
export interface ProtectedServer {
  readonly product: Product
  readonly home: string
  /** A token that carries one scope. */
  token(scope: string): Promise<string>
  /** The 99th percentile of the lag of its event loop since it was asked last, in ms. */
  loopLag(): Promise<number>
  end(): Promise<void>
}

/** Starts one; `rate` is how many requests a second one sender's token may send. */
export async function startProtected(rate: number): Promise<ProtectedServer> {
  const { home, remove } = await createHome()
  const env = { RAYNE_AUTH: 'required', RAYNE_DEMO_MODE: 'off', RAYNE_INGEST_RATE: String(rate) }
  const product = startProduct({ home, port: await freePort(), env })
  const isReady = (): Promise<boolean> =>
    fetch(`${product.url}/healthz`)
      .then(answer => answer.ok)
      .catch(() => false)
  for (const until = Date.now() + 60_000; !(await isReady()); await sleep(50))
    if (Date.now() > until) throw new Error('the server did not start within a minute')
  async function token(scope: string): Promise<string> {
    const secret = `rayne_bench_${randomBytes(24).toString('base64url')}`
    const hash = createHash('sha256').update(secret).digest('hex')
    const sql = 'insert into core_tokens (name, hash, scopes) values ($1, $2, array[$1])'
    await askDatabase(home, sql, [scope, hash])
    return secret
  }
  const admin = await token('admin')
  return {
    product,
    home,
    token,
    async loopLag() {
      const answer = await fetch(`${product.url}/metrics`, {
        headers: { authorization: `Bearer ${admin}` }
      })
      const found = /^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(await answer.text())?.[1]
      if (found === undefined) throw new Error('/metrics says nothing of the lag of the event loop')
      return Number(found) * 1000
    },
    async end() {
      await product.kill()
      await remove()
    }
  }
}
