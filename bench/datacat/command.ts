import { InvalidArgumentError, Option, type Command } from 'commander'
import path from 'node:path'
import { measureAppend } from './append.ts'
import { measureBatches } from './batches.ts'
import { measureChart } from './chart.ts'
import { measureMemory, printMemory, startMemorySampler } from './memory.ts'
import { holds, printLimits, type Bench, type PartResult, type Setting } from './part.ts'
import { measureRead } from './read.ts'
import { metricName, startDatacat, type Datacat } from './server.ts'
import { measureSingles } from './singles.ts'
import { machine, print, whole, writeJson } from '../figures.ts'
import { tailOf } from '../process/product.ts'
import { printTopCosts } from '../process/profile.ts'

interface DatacatOptions {
  readonly rounds: string
  readonly seconds: string
  readonly soak: string
  readonly only: readonly string[]
  readonly quick?: boolean
  readonly profile?: string
  readonly json?: string
}

const parts: Readonly<Record<string, (bench: Bench) => Promise<PartResult>>> = {
  append: measureAppend,
  batches: measureBatches,
  singles: measureSingles,
  read: measureRead,
  memory: measureMemory,
  chart: measureChart
}
const names = Object.keys(parts)

/** Adds `bench datacat`. */
export function datacatCommand(program: Command): void {
  program
    .command('datacat')
    .description(
      'appends at 0 to 1,000,000 points, batches, single metrics, reads of whole sessions, ' +
        'charts and memory, each beside its baseline'
    )
    .option('--rounds <n>', 'interleaved rounds of each part', '5')
    .option('--seconds <s>', 'length of one measurement of a load', '5')
    .option('--soak <s>', 'length of the load under which memory is judged', '60')
    .addOption(
      new Option('--only <part,part>', `which of ${names.join(', ')}`)
        .argParser(listOfParts)
        .default(names, 'all')
    )
    .option('--quick', 'small sizes and two rounds, for development: the figures say little')
    .option(
      '--profile <folder>',
      'write a CPU profile of the server up to its first restart and print its top costs; best with one part'
    )
    .option('--json <file>', 'write every figure to a file')
    .action((options: DatacatOptions) => run(options))
}

function listOfParts(text: string): string[] {
  const asked = text.split(',').map(name => name.trim())
  const unknown = asked.find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`there is no part '${unknown}'; there are ${names.join(', ')}`)
  return asked
}

const settingOf = (options: DatacatOptions): Setting =>
  options.quick
    ? {
        rounds: 2,
        seconds: 2,
        appends: 50,
        largest: 200_000,
        charts: 10,
        coldStarts: 2,
        soakSeconds: 12
      }
    : {
        rounds: Number(options.rounds),
        seconds: Number(options.seconds),
        appends: 100,
        largest: 1_000_000,
        charts: 20,
        coldStarts: 5,
        soakSeconds: Number(options.soak)
      }

async function run(options: DatacatOptions): Promise<void> {
  const setting = settingOf(options)
  print(
    `${machine()}; ${setting.rounds} rounds, ${setting.seconds} s a load, ` +
      `${whole(setting.largest)} points in the largest session; senders, server and database ` +
      'share the machine'
  )
  const profile =
    options.profile === undefined
      ? undefined
      : path.resolve(options.profile, `datacat-${options.only.join('-')}.cpuprofile`)
  const begun = performance.now()
  const server = await startDatacat(profile)
  const results = await measureParts(server, setting, options.only).catch((error: unknown) => {
    print(`the server's last lines:\n${tailOf(server.home)}`)
    throw error
  })
  await server.end()
  if (profile !== undefined) printTopCosts(profile)
  const limits = results.flatMap(result => result.limits)
  print(`\nAll limits after ${((performance.now() - begun) / 60_000).toFixed(1)} minutes`)
  printLimits(limits)
  writeJson(options.json, { machine: machine(), setting, parts: results })
  if (!limits.every(holds)) process.exitCode = 1
}

async function measureParts(
  server: Datacat,
  setting: Setting,
  asked: readonly string[]
): Promise<PartResult[]> {
  const memory = startMemorySampler(server)
  let largest: Promise<string> | undefined
  const bench: Bench = {
    server,
    setting,
    memory,
    largest: () => (largest ??= fillLargest(server, setting.largest))
  }
  const results: PartResult[] = []
  try {
    for (const name of names.filter(each => asked.includes(each))) {
      memory.enter(name)
      const result = await parts[name]!(bench)
      printLimits(result.limits)
      results.push(result)
    }
    if (asked.includes('memory')) printMemory(memory.samples)
    return results
  } finally {
    memory.stop()
  }
}

async function fillLargest(server: Datacat, points: number): Promise<string> {
  const [session = ''] = await server.createSessions(1)
  const begun = performance.now()
  await server.fill(session, points)
  print(
    `filled a session with ${whole(points)} points of ${metricName} in ` +
      `${((performance.now() - begun) / 1000).toFixed(1)} s`
  )
  return session
}
