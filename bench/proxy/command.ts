import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../core/index.ts'
import { createDatadogService } from '../../plugins/datadog-proxy/service/datadog.ts'
import type { OpenAccount } from '../../plugins/datadog-proxy/service/client/account.ts'
import { machine, median, megabytes, print, quantile, table, writeJson } from '../figures.ts'
import { startSimulatedDatadog } from '../kill/simulated-datadog.ts'
import { runHelper } from '../process/own-process.ts'
import { createHome, freePort, startProduct } from '../process/product.ts'
import type { SdkCost } from './sdk-import.ts'

interface ProxyOptions {
  readonly calls: string
  readonly imports: string
  readonly json?: string
}
interface Figures {
  readonly direct: number[]
  readonly proxied: number[]
  readonly bare: number[]
}

const allowedMs = 1.5
const allowedBlockMs = 100
const path = '/v1/hosts/active'
const quiet = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => quiet
} as unknown as Logger

/** Adds `bench proxy`. */
export function proxyCommand(program: Command): void {
  program
    .command('proxy')
    .description(
      'GET /v1/hosts/active through the product beside the same call of the client, ' +
        'interleaved, on one simulated Datadog; what importing the SDK costs'
    )
    .option('--calls <n>', 'calls each', '2000')
    .option('--imports <n>', 'processes that import the SDK, 0 for none', '3')
    .option('--json <file>', 'write every figure to a file')
    .action((options: ProxyOptions) => run(options))
}

async function run(options: ProxyOptions): Promise<void> {
  print(
    `${machine()}; ${options.calls} calls each, one at a time, interleaved; product, ` +
      'simulator and caller share the machine'
  )
  const figures = await measure(Number(options.calls))
  const rows = Object.entries({
    'the client, directly': figures.direct,
    [`GET ${path}`]: figures.proxied,
    'GET /healthz': figures.bare
  })
  print(
    table(
      ['milliseconds', 'median', 'p95'],
      rows.map(([name, values]) => [
        name,
        median(values).toFixed(2),
        quantile(values, 0.95).toFixed(2)
      ])
    )
  )
  const overMs = median(figures.proxied) - median(figures.direct)
  print(
    `a proxy call costs ${overMs.toFixed(2)} ms over the client call at the median; ${allowedMs} ms are allowed`
  )
  const costs = await importCosts(Number(options.imports))
  const blockMs = costs.length > 0 ? median(costs.map(cost => cost.blockMs)) : 0
  if (costs.length > 0)
    print(
      `the first v1 request of a process takes ${median(costs.map(cost => cost.v1Ms)).toFixed(0)} ms, ` +
        `the first v2 request ${median(costs.map(cost => cost.v2Ms)).toFixed(0)} ms more; they block the ` +
        `event loop for ${blockMs.toFixed(0)} ms at most (${allowedBlockMs} ms are allowed) and take ` +
        `${megabytes(median(costs.map(cost => cost.rss)))} of memory`
    )
  writeJson(options.json, { machine: machine(), options, overMs, ...figures, costs })
  if (overMs > allowedMs || blockMs > allowedBlockMs) process.exitCode = 1
}

async function importCosts(count: number): Promise<SdkCost[]> {
  const costs: SdkCost[] = []
  for (let n = 0; n < count; n++)
    costs.push(await runHelper<SdkCost>('bench/proxy/sdk-import.ts', {}))
  return costs
}

async function measure(calls: number): Promise<Figures> {
  const simulator = await startSimulatedDatadog()
  const { home, remove } = await createHome()
  const product = startProduct({
    home,
    port: await freePort(),
    env: { RAYNE_DEMO_ACCOUNTS: simulator.accounts, RAYNE_DEMO_MODE: 'on' }
  })
  await untilReady(product.url)
  const account = await accountOf(simulator.accounts)
  const through = async (asked: string): Promise<void> => {
    const answer = await fetch(`${product.url}${asked}`)
    const body = await answer.text()
    if (!answer.ok) throw new Error(`${asked} answered ${answer.status}: ${body}`)
  }
  const figures: Figures = { direct: [], proxied: [], bare: [] }
  const warmUp = Math.min(200, calls)
  for (let n = -warmUp; n < calls; n++) {
    if (n === 0) for (const values of Object.values(figures) as number[][]) values.length = 0
    await timed(figures.direct, () => account.hostTotals())
    await timed(figures.proxied, () => through(path))
    await timed(figures.bare, () => through('/healthz'))
  }
  await product.stop()
  await simulator.stop()
  await remove()
  return figures
}

async function timed(into: number[], work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now()
  await work()
  into.push(performance.now() - begun)
}

async function accountOf(accounts: string): Promise<OpenAccount> {
  const [first] = JSON.parse(accounts) as {
    name: string
    baseUrl: string
    apiKey: string
    appKey: string
  }[]
  if (!first) throw new Error('the simulator named no account')
  return createDatadogService({
    log: quiet,
    accounts: [{ ...first, simulated: true, appUrl: first.baseUrl }]
  }).account(first.name)
}

async function untilReady(url: string, limitMs = 60_000): Promise<void> {
  for (const until = Date.now() + limitMs; Date.now() < until; await sleep(100)) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
  }
  throw new Error(`the product was not ready within ${limitMs / 1000} s`)
}
