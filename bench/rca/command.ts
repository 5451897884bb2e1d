import { once } from 'node:events'
import type { Command } from 'commander'
import { createTestApp, stopTestServer } from '../../core/testing.ts'
import { DatadogToken } from '../../plugins/datadog-proxy/contract.ts'
import rca from '../../plugins/rca/plugin.ts'
import { findCause } from '../../plugins/rca/service/engine/find-cause.ts'
import webhooks from '../../plugins/webhooks/plugin.ts'
import { machine, median, print, quantile, table, writeJson } from '../figures.ts'
import { lifetime } from '../process/lifetime.ts'
import { createTimedDatadog } from './answers.ts'
import { createIncident } from './incident.ts'

interface RcaOptions {
  readonly rounds: string
  readonly call: string
  readonly json?: string
}
const leastRounds = 5
const waitMs = 60_000
const [reportTargetMs, engineTargetMs] = [100, 200]

/** Adds `bench rca`. */
export function rcaCommand(program: Command): void {
  program
    .command('rca')
    .description(
      "webhook to stored report without a model beside the simulated calls' own times; " +
        'the evidence engine on 1,000 to 100,000 log lines'
    )
    .option('--rounds <n>', 'alerts, one after the other', '40')
    .option('--call <ms>', 'what a simulated call of Datadog takes', '5')
    .option('--json <file>', 'write every figure to a file')
    .action((options: RcaOptions) => run(options))
}

async function run(options: RcaOptions): Promise<void> {
  print(machine())
  const reports = await measureReports(
    Math.max(leastRounds, Number(options.rounds)),
    Number(options.call)
  )
  print(
    table(
      ['webhook to stored report', 'alerts', 'calls', 'p50 ms', 'p95 ms'],
      [
        ['the whole', reports.totals.length, reports.calls, ...spread(reports.totals)],
        [
          "the sum of the calls' own times",
          reports.sums.length,
          reports.calls,
          ...spread(reports.sums)
        ]
      ]
    )
  )
  print()
  const engine = measureEngine()
  print(
    table(
      ['evidence engine', 'series', 'changes', 'p50 ms', 'ms a 1,000 lines'],
      engine.map(({ lines, ms }) => [
        `${lines.toLocaleString('en-US')} log lines`,
        300,
        200,
        ms.toFixed(0),
        ((ms * 1000) / lines).toFixed(1)
      ])
    )
  )
  print()
  const [p50, small] = [median(reports.totals), engine[0]?.ms ?? Number.NaN]
  print(verdict('webhook to stored report, p50', p50, reportTargetMs))
  print(verdict('engine on 1,000 lines, 300 series and 200 changes', small, engineTargetMs))
  writeJson(options.json, { machine: machine(), options, reports, engine })
  await stopTestServer()
}

const spread = (figures: readonly number[]): string[] => [
  median(figures).toFixed(0),
  quantile(figures, 0.95).toFixed(0)
]
const verdict = (what: string, ms: number, target: number): string =>
  `${what}: ${ms.toFixed(0)} ms, ${ms <= target ? 'within' : 'ABOVE'} the target of ${target} ms`

/** Every alert through the front door of an application that works by itself, timed until its report is stored. */
async function measureReports(rounds: number, callMs: number) {
  const { t, end } = lifetime()
  const datadog = createTimedDatadog(callMs)
  const app = await createTestApp(t, {
    plugins: [rca, webhooks],
    fakes: [[DatadogToken, datadog.service]],
    env: { RAYNE_ROLE: 'web,worker', RAYNE_WEBHOOKS_SETTLE_SECONDS: '0' }
  })
  const [totals, sums, counts]: [number[], number[], number[]] = [[], [], []]
  try {
    // The first two load what is loaded once.
    for (let round = -2; round < rounds; round++) {
      const heard = new EventTarget()
      let stored = Number.NaN
      datadog.begin(() => {
        stored = performance.now()
        heard.dispatchEvent(new Event('stored'))
      })
      const done = once(heard, 'stored', { signal: AbortSignal.timeout(waitMs) })
      const started = performance.now()
      await app.call('POST', '/v1/webhooks/receive', alertOf(round))
      await done
      const { count, sumMs } = datadog.calls()
      if (round >= 0) {
        totals.push(stored - started)
        sums.push(sumMs)
        counts.push(count)
      }
    }
  } finally {
    await end()
  }
  return { totals, sums, calls: median(counts) }
}

const alertOf = (round: number) => ({
  monitor_id: 7,
  monitor_name: 'checkout-api 5xx',
  alert_status: 'Alert',
  alert_cycle_key: `round-${round}`,
  service: 'checkout-api',
  tags: 'env:prod',
  date: Date.now() - 60_000
})

/** The engine on three sizes of logs, each the median of a few runs after one that warms it up. */
function measureEngine(): { readonly lines: number; readonly ms: number }[] {
  return [1_000, 10_000, 100_000].map(lines => {
    const incident = createIncident({ lines, series: 300, changes: 200 })
    findCause(incident)
    const runs = Array.from({ length: lines > 10_000 ? 3 : 7 }, () => {
      const started = performance.now()
      findCause(incident)
      return performance.now() - started
    })
    return { lines, ms: median(runs) }
  })
}
