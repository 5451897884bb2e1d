import { AsyncLocalStorage } from 'node:async_hooks'
import assert from 'node:assert/strict'
import { epochMs } from '../../../core/index.ts'
import { hash, unit } from '../../../simulator/world/random.ts'
import type { SimAccount } from '../../../simulator/simulator.ts'
import { DatadogError, type CallOptions } from '../contract.ts'
import type { OpenAccount } from '../service/client/account.ts'
import { createDatadogService } from '../service/datadog.ts'
import { monitorId } from './fault-site.ts'
import { quiet } from './loopback.ts'

/** What the parent tells this process. */
export interface StormOrder {
  readonly account: SimAccount
  readonly calm: SimAccount
  readonly t0: number
  readonly seed: number
  readonly calls: number
}
/**
 * What this process tells: the outcome, the milliseconds after a timer of its deadline and the requests of each call,
 * and the heap in MB.
 */
export interface StormResult {
  readonly calls: readonly {
    readonly kind: string
    readonly outcome: string
    readonly late: number
    readonly requests: number
  }[]
  readonly heapBefore: number
  readonly heapAfter: number
}

const counting = new AsyncLocalStorage<{ requests: number }>()
const atOnce = 16
const callsOfOneClient = 12

const kinds: Record<
  string,
  (account: OpenAccount, t0: number, options: CallOptions) => Promise<unknown>
> = {
  monitor: (account, _t0, options) => account.monitor(monitorId, options),
  metric: (account, t0, options) =>
    account.metric({ query: 'avg:system.cpu.user{*} by {host}', window: windowOf(t0) }, options),
  events: (account, t0, options) =>
    account.events({ query: '', window: windowOf(t0), limit: 20 }, options),
  logs: (account, t0, options) =>
    account.logs({ query: 'service:checkout-api', window: windowOf(t0), limit: 20 }, options),
  hosts: (account, _t0, options) => account.hosts({ filter: '', limit: 20 }, options),
  spans: (account, t0, options) =>
    account.spans({ query: 'service:checkout-api', window: windowOf(t0), limit: 20 }, options),
  notebook: (account, _t0, options) =>
    account.createNotebook({ name: 'storm', cells: [], window: { live: '1h' } }, options)
}
const windowOf = (t0: number) => ({
  from: epochMs(t0 - 40 * 60_000),
  to: epochMs(t0 + 15 * 60_000)
})

const clientOf = ({ name, baseUrl, apiKey, appKey }: SimAccount): Promise<OpenAccount> =>
  createDatadogService({
    log: quiet,
    accounts: [{ name, simulated: true, baseUrl, appUrl: baseUrl, apiKey, appKey }],
    pageSize: 10,
    retry: { baseMs: 5, capMs: 50 },
    fetch: (input, init) => {
      const count = counting.getStore()
      if (count) count.requests++
      return fetch(input, init)
    }
  }).account()

async function storm({ account, t0, seed, calls }: StormOrder): Promise<StormResult['calls']> {
  const told: StormResult['calls'][number][] = []
  const names = Object.keys(kinds)
  let next = 0
  const work = async (): Promise<void> => {
    for (let client = await clientOf(account), n = next++, own = 1; n < calls; n = next++, own++) {
      if (own % callsOfOneClient === 0) client = await clientOf(account)
      const kind = names[n % names.length] ?? 'monitor'
      const timeoutMs = 100 + Math.floor(unit(hash(seed, 'deadline'), n) * 300)
      const count = { requests: 0 }
      const lateness = beside(timeoutMs)
      const outcome = await counting.run(count, () =>
        kinds[kind]?.(client, t0, { timeoutMs }).then(
          () => 'ok',
          (error: unknown) => (error instanceof DatadogError ? error.failure : String(error))
        )
      )
      told.push({
        kind,
        outcome: outcome ?? '',
        late: lateness(),
        requests: count.requests
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return told
}

/** The milliseconds since a plain timer of this length fired: a busy machine delays both. */
function beside(timeoutMs: number): () => number {
  let firedAt = Number.POSITIVE_INFINITY
  const timer = setTimeout(() => {
    firedAt = performance.now()
  }, timeoutMs)
  return () => {
    clearTimeout(timer)
    return Math.max(0, performance.now() - firedAt)
  }
}

/** The heap in MB when nothing more can be freed. */
async function heap(): Promise<number> {
  assert.ok(globalThis.gc, 'started without --expose-gc')
  for (let n = 0; n < 3; n++) {
    globalThis.gc()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed / 1e6
}

async function main(order: StormOrder): Promise<StormResult> {
  // The first call loads the client, which is no cost of the storm.
  const client = await clientOf(order.calm)
  for (const ask of Object.values(kinds))
    await ask(client, order.t0, { timeoutMs: 20_000 }).catch(() => {})
  const heapBefore = await heap()
  const calls = await storm(order)
  return { calls, heapBefore, heapAfter: await heap() }
}

process.once('message', (order: StormOrder) => {
  void main(order).then(result => process.send?.(result, () => process.disconnect()))
})
