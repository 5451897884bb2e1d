import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { epochMs } from '../../../core/index.ts'
import { createSimulator, type Simulator } from '../../../simulator/simulator.ts'
import {
  DatadogError,
  type CallOptions,
  type DatadogFailure,
  type DatadogRows,
  type TimeWindow
} from '../contract.ts'
import type { OpenAccount } from '../service/client/account.ts'
import { createDatadogService, type DatadogOptions } from '../service/datadog.ts'
import { quiet } from './loopback.ts'

/** The monitor that alerts in the first scenario. */
export const monitorId = '23149714'

/** A simulated Datadog with a client of its own; `waits` are the pauses between attempts in ms, which take no time. */
export interface Site {
  readonly simulator: Simulator
  readonly account: OpenAccount
  readonly waits: number[]
  readonly window: TimeWindow
  asked(): number
}

/** Starts a simulator with these faults and one client that has learned nothing yet. */
export async function faultySite(
  t: TestContext,
  faults: readonly object[],
  options: Partial<DatadogOptions> = {}
): Promise<Site> {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  faults.forEach(fault => simulator.addFault(fault))
  const waits: number[] = []
  const account = await clientOf(simulator, {
    retry: {
      sleep: async ms => {
        waits.push(ms)
      },
      random: () => 0
    },
    ...options
  })
  return {
    simulator,
    account,
    waits,
    window: windowOf(simulator),
    asked: () => simulator.journal().length
  }
}

/** Another client of the same Datadog, as after a restart. */
export async function clientOf(
  simulator: Simulator,
  options: Partial<DatadogOptions> = {}
): Promise<OpenAccount> {
  const [first] = simulator.accounts
  assert.ok(first)
  const { name, baseUrl, apiKey, appKey } = first
  return createDatadogService({
    log: quiet,
    accounts: [{ name, simulated: true, baseUrl, appUrl: baseUrl, apiKey, appKey }],
    ...options
  }).account()
}

const windowOf = ({ t0 }: Simulator): TimeWindow => ({
  from: epochMs(t0 - 40 * 60_000),
  to: epochMs(t0 + 15 * 60_000)
})

type Rows = Pick<DatadogRows<object>, 'rows' | 'truncated' | 'warnings'>
/** Every kind of question an analysis asks, each answered with rows when nothing is wrong. */
export const questions = {
  monitor: async ({ account }: Site, options?: CallOptions) => ({
    rows: [await account.monitor(monitorId, options)],
    truncated: false,
    warnings: []
  }),
  metric: ({ account, window }: Site, options?: CallOptions) =>
    account.metric({ query: 'avg:system.cpu.user{*} by {host}', window }, options),
  events: ({ account, window }: Site, options?: CallOptions) =>
    account.events({ query: '', window, limit: 50 }, options),
  logs: ({ account, window }: Site, options?: CallOptions) =>
    account.logs({ query: 'service:checkout-api', window, limit: 20 }, options),
  hosts: ({ account }: Site, options?: CallOptions) =>
    account.hosts({ filter: '', limit: 50 }, options),
  spans: ({ account, window }: Site, options?: CallOptions) =>
    account.spans({ query: 'service:checkout-api', window, limit: 20 }, options),
  monitors: ({ account }: Site, options?: CallOptions) => account.monitors({ limit: 50 }, options)
} satisfies Record<string, (site: Site, options?: CallOptions) => Promise<Rows>>

/** A check for `assert.rejects`: the failure has this name and says this. */
export const fails =
  (failure: DatadogFailure, message?: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DatadogError, String(error))
    assert.equal(error.failure, failure, error.message)
    if (message) assert.match(error.message, message)
    return true
  }

/** How long it took in ms, whatever the outcome. */
export async function taking(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}
