import { Option, type Command } from 'commander'
import path from 'node:path'
import { machine, median, megabytes, print, table, whole, writeJson } from '../figures.ts'
import { untilAccepted } from '../ingest/first-answer.ts'
import { readBacklog, untilDrained } from './drained.ts'
import { countOutcome, isClean, type Outcome } from './outcome.ts'
import { createRandom } from './random.ts'
import { killDuringPosts, type Round } from './round.ts'
import { startSimulatedDatadog, type SimulatedDatadog } from './simulated-datadog.ts'
import { createAlertBody } from '../payload.ts'
import { createHome, freePort, startProduct, tailOf, type Product } from '../process/product.ts'
import { printTopCosts } from '../process/profile.ts'

interface KillOptions {
  readonly rounds: string
  readonly posts: string
  readonly concurrency: string
  readonly seed?: string
  readonly drain: 'each' | 'last'
  readonly profile?: string
  readonly json?: string
}
interface Setting {
  readonly rounds: number
  readonly posts: number
  readonly concurrency: number
  readonly seed: number
  readonly drain: 'each' | 'last'
  readonly profile: string | undefined
}

/** Adds `bench kill`. */
export function killCommand(program: Command): void {
  program
    .command('kill')
    .description(
      'kill -9 of the whole process tree during posts: what was acknowledged is there ' +
        'after the restart and is analysed once'
    )
    .option('--rounds <n>', 'kills', '10')
    .option('--posts <n>', 'alerts a round', '2000')
    .option('--concurrency <n>', 'posts under way at once', '32')
    .option('--seed <n>', 'of the moments of the kills; printed')
    .addOption(
      new Option('--drain <when>', 'wait for all analyses after each round, or after the last only')
        .choices(['each', 'last'])
        .default('each')
    )
    .option('--profile <folder>', 'write a CPU profile of the last server and print its top costs')
    .option('--json <file>', 'write every figure to a file')
    .action((options: KillOptions) => run(options))
}

async function run(options: KillOptions): Promise<void> {
  const setting: Setting = {
    rounds: Number(options.rounds),
    posts: Number(options.posts),
    concurrency: Number(options.concurrency),
    seed: Number(options.seed ?? Date.now() % 1_000_000),
    drain: options.drain,
    profile: options.profile
  }
  print(
    `${machine()}; ${setting.rounds} kills during ${whole(setting.posts)} posts each, seed ${setting.seed}`
  )
  const begun = performance.now()
  const result = await killRounds(setting)
  const minutes = (performance.now() - begun) / 60_000
  printOutcome(result.outcome, result.rounds, result.http)
  const middle = (pick: (each: Drain) => number): string =>
    median(result.drains.map(pick)).toFixed(1)
  print(
    `${minutes.toFixed(1)} minutes; while waiting ` +
      `${middle(each => each.analysed / each.seconds)} analyses a second (median of ` +
      `${result.drains.length}); one takes ${middle(each => each.cost.node)} ms of ` +
      `processor in node, ${middle(each => each.cost.postgres)} in PostgreSQL, ` +
      `${middle(each => each.cost.simulator)} in the simulator; node held ` +
      `${megabytes(Math.max(...result.drains.map(each => each.nodeBytes)))} at most when ` +
      'all was done'
  )
  writeJson(options.json, {
    machine: machine(),
    setting,
    minutes,
    ...result,
    rounds: result.rounds.map(({ product: _, sent: __, ...round }) => round)
  })
  const clean =
    isClean(result.outcome) &&
    result.rounds.every(round => round.missing.length === 0) &&
    result.http.events >= result.outcome.acknowledged &&
    result.http.failedJobs === 0
  print(
    clean
      ? 'every acknowledged alert is there and was analysed exactly once'
      : 'FAILED: see the counts above'
  )
  if (!clean) process.exitCode = 1
}

async function killRounds(setting: Setting) {
  const simulator = await startSimulatedDatadog()
  const body = await createAlertBody(simulator.t0)
  const { home, remove } = await createHome()
  const port = await freePort()
  const env = {
    RAYNE_DEMO_ACCOUNTS: simulator.accounts,
    RAYNE_DEMO_MODE: 'on',
    // All alerts are of one monitor, and each must be analysed.
    RAYNE_RCA_HOURLY_PER_MONITOR: '0'
  }
  const profile =
    setting.profile === undefined ? undefined : path.resolve(setting.profile, 'kill.cpuprofile')
  const start = () => startProduct({ home, port, env, profile })
  const state: Run = { setting, simulator, home, body, start, product: start() }
  try {
    await untilAccepted(state.product, body.of('start'))
    const { rounds, drains } = await killAndDrain(state)
    const outcome = await countOutcome(
      home,
      prefixOf(setting),
      rounds.flatMap(round => round.sent),
      await simulator.notebooks()
    )
    const http = await countOverHttp(state.product.url)
    await state.product.stop()
    if (profile !== undefined) printTopCosts(profile)
    return { rounds, drains, outcome, http }
  } catch (error) {
    print(`the server's last lines:\n${tailOf(home)}`)
    throw error
  } finally {
    await state.product.kill()
    await simulator.stop()
    await remove()
  }
}

/** What all rounds share; `product` is the server that runs now. */
interface Run {
  readonly setting: Setting
  readonly simulator: SimulatedDatadog
  readonly home: string
  readonly body: Awaited<ReturnType<typeof createAlertBody>>
  readonly start: () => Product
  product: Product
}

const prefixOf = ({ seed }: Setting): string => `kill-${seed}-`

async function killAndDrain(state: Run): Promise<{ rounds: Round[]; drains: Drain[] }> {
  const { setting, simulator, home, body, start } = state
  const { posts, concurrency } = setting
  const random = createRandom(setting.seed)
  const rounds: Round[] = []
  const drains: Drain[] = []
  for (let number = 1; number <= setting.rounds; number++) {
    const round = await killDuringPosts({
      number,
      product: state.product,
      home,
      prefix: prefixOf(setting),
      posts,
      concurrency,
      bodyOf: body.of,
      random,
      start
    })
    state.product = round.product
    rounds.push(round)
    if (setting.drain === 'each' || number === setting.rounds)
      drains.push(await drain(state.product, simulator))
    printRound(round, drains.at(-1))
  }
  return { rounds, drains }
}

type Drain = Awaited<ReturnType<typeof drain>>

/** Waits for the analyses, and counts the processor time one of them takes. */
async function drain(product: Product, simulator: SimulatedDatadog) {
  const used = () => ({ ...product.processor(), simulator: simulator.processor() })
  const before = used()
  const drained = await untilDrained(product.url)
  const after = used()
  const cost = (part: keyof typeof after): number => (after[part] - before[part]) / drained.analysed
  return {
    ...drained,
    nodeBytes: product.memory().node.rss,
    cost: { node: cost('node'), postgres: cost('postgres'), simulator: cost('simulator') }
  }
}

/** The totals an operator sees; the one alert before the first round is among them. */
async function countOverHttp(
  url: string
): Promise<{ events: number; analysed: number; failedJobs: number }> {
  const events = (await fetch(`${url}/v1/webhooks/events?per_page=1`).then(answer =>
    answer.json()
  )) as { total_count: number }
  const { done, failed } = await readBacklog(url)
  return { events: events.total_count, analysed: done, failedJobs: failed }
}

function printRound(
  round: Round,
  drained: { seconds: number; analysed: number } | undefined
): void {
  const failures = Object.entries(round.failures)
    .map(([reason, count]) => `${count} × ${reason}`)
    .join(', ')
  print(
    `round ${round.number}: killed ${round.processes} processes at ${round.killedAt} of ` +
      `${round.sent.length} acknowledged; missing after restart ${round.missing.length}; ` +
      `ready in ${whole(round.readyMs)} ms, first analysis after ` +
      `${whole(round.firstAnalysisMs)} ` +
      `ms${drained ? `; drained in ${whole(drained.seconds)} s` : ''} ` +
      `(${failures || 'no post failed'})`
  )
}

function printOutcome(
  outcome: Outcome,
  rounds: readonly Round[],
  http: { events: number; analysed: number; failedJobs: number }
): void {
  print(
    `\n${table(
      [
        'round',
        'processes',
        'acked before kill',
        'missing',
        'sent again',
        'of these already stored',
        'ready ms',
        'first analysis ms'
      ],
      rounds.map(round => [
        round.number,
        round.processes,
        round.killedAt,
        round.missing.length,
        round.again,
        round.alreadyStored,
        whole(round.readyMs),
        whole(round.firstAnalysisMs)
      ])
    )}`
  )
  print(
    `median ready ${whole(median(rounds.map(round => round.readyMs)))} ms, first ` +
      `analysis ${whole(median(rounds.map(round => round.firstAnalysisMs)))} ms after the ` +
      'restart\n'
  )
  const lines: [name: string, figure: number, offenders?: readonly string[]][] = [
    ['acknowledged alerts', outcome.acknowledged],
    ['missing from the database', outcome.missing.length, outcome.missing],
    ['stored more than once', outcome.storedTwice.length, outcome.storedTwice],
    ['acknowledged with a wrong id', outcome.wrongId.length, outcome.wrongId],
    ['without an analysis', outcome.notAnalysed.length, outcome.notAnalysed],
    ['with more than one analysis', outcome.analysedTwice.length, outcome.analysedTwice],
    ['analyses not done', outcome.notDone.length, outcome.notDone],
    ['analyses begun again after a kill', outcome.resumed],
    ['notebooks lost', outcome.notebookLost.length, outcome.notebookLost],
    ['analyses with two notebooks', outcome.notebookTwice.length, outcome.notebookTwice],
    ['events over HTTP (one from before the rounds)', http.events],
    ['analyses done over HTTP', http.analysed],
    ['failed jobs over HTTP', http.failedJobs]
  ]
  print(
    table(
      ['count', 'of', ''],
      lines.map(([name, figure, offenders = []]) => [
        whole(figure),
        name,
        offenders.slice(0, 5).join(' ')
      ])
    )
  )
}
