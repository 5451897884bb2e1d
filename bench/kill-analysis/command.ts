import type { Command } from 'commander'
import { stopTestServer } from '../../core/testing.ts'
import type { Moment } from '../../plugins/rca/test/killed/holding-datadog.ts'
import { killAnalyses, type Survivor } from '../../plugins/rca/test/killed/kill-analyses.ts'
import { machine, print, table, writeJson } from '../figures.ts'
import { lifetime } from '../process/lifetime.ts'

interface Options {
  readonly kills: string
  readonly json?: string
}

/** Adds `bench kill-analysis`. */
export function killAnalysisCommand(program: Command): void {
  program
    .command('kill-analysis')
    .description(
      'kill -9 of the worker at each request of an analysis, before Datadog has it and after ' +
        'Datadog has done it: each ends with one report and one notebook'
    )
    .option('--kills <n>', 'analyses, each killed at another moment', '50')
    .option('--json <file>', 'write what became of each')
    .action((options: Options) => run(options))
}

async function run({ kills, json }: Options): Promise<void> {
  print(machine())
  const started = performance.now()
  // How many requests an analysis makes, which is how many moments there are.
  const [first] = await killAt([{ request: 'notebook', when: 'before' }])
  const requests = first?.requestsBefore ?? 0
  const rest = await killAt(momentsOf(requests, Number(kills) - 1))
  const survivors = [...(first ? [first] : []), ...rest]
  const wrong = survivors.filter(one => !isWhole(one))
  print(
    table(
      ['moment', 'status', 'attempts', 'reports', 'notebooks', 'requests after'],
      survivors.map(one => [
        `${one.moment.when} ${one.moment.request}`,
        one.status,
        one.attempt,
        one.verdict === undefined ? 0 : one.analyses,
        one.notebooks,
        one.requestsAfter
      ])
    )
  )
  const minutes = ((performance.now() - started) / 60_000).toFixed(1)
  print(
    `${survivors.length} analyses of ${requests} requests killed in ${minutes} minutes; ` +
      (wrong.length === 0
        ? 'each ended with one report and one notebook'
        : `FAILED: ${wrong.length} did not end with one report and one notebook`)
  )
  writeJson(json, { machine: machine(), requests, survivors })
  if (wrong.length > 0) process.exitCode = 1
  await stopTestServer()
}

const isWhole = ({ status, analyses, notebooks, verdict, attempt }: Survivor): boolean =>
  status === 'done' &&
  analyses === 1 &&
  notebooks === 1 &&
  verdict === 'suspected_change' &&
  attempt > 1

/** As many moments, spread over all requests, before and after each in turn. */
function momentsOf(requests: number, most: number): Moment[] {
  const all = Array.from({ length: requests }, (_, index): Moment[] => [
    { request: index + 1, when: 'before' },
    { request: index + 1, when: 'after' }
  ]).flat()
  const chosen = all.filter(
    (_, index) =>
      Math.floor((index * most) / all.length) !== Math.floor(((index - 1) * most) / all.length)
  )
  const notebook: Moment = { request: 'notebook', when: 'after' }
  return [...chosen.slice(0, Math.max(0, most - 1)), notebook]
}

async function killAt(moments: readonly Moment[]): Promise<Survivor[]> {
  const { t, end } = lifetime()
  try {
    return await killAnalyses(t, moments)
  } finally {
    await end()
  }
}
