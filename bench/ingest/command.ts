import { Option, type Command } from 'commander'
import { machine, print, writeJson } from '../figures.ts'
import { measureRounds, printRounds } from './rounds.ts'
import { measureStarts, printStarts } from './starts.ts'
import { variants } from './variants.ts'
import { createAlertBody } from '../payload.ts'

interface IngestOptions {
  readonly rounds: string
  readonly seconds: string
  readonly connections: string
  readonly inserters: string
  readonly starts: string
  readonly idle: string
  readonly variant: readonly string[]
  readonly profile?: string
  readonly json?: string
}

/** Adds `bench ingest`. */
export function ingestCommand(program: Command): void {
  program
    .command('ingest')
    .description(
      'durable webhook acknowledgements per second beside a bare Koa echo and single inserts; start-up; idle memory'
    )
    .option('--rounds <n>', 'interleaved rounds a variant', '5')
    .option('--seconds <s>', 'length of one measurement', '3')
    .option('--connections <n>', 'keep-alive connections of the sender', '64')
    .option('--inserters <n>', 'connections of the single-insert loop', '32')
    .option('--starts <n>', 'starts to measure from an empty folder, 0 for none', '5')
    .option('--idle <s>', 'seconds of rest before memory is read', '10')
    .addOption(
      new Option('--variant <id...>', 'which variants')
        .choices(variants.map(variant => variant.id))
        .default(
          variants.map(variant => variant.id),
          'all'
        )
    )
    .option(
      '--profile <folder>',
      'write a CPU profile of the server for each variant and print its top costs'
    )
    .option('--json <file>', 'write every figure to a file')
    .action((options: IngestOptions) => run(options))
}

async function run(options: IngestOptions): Promise<void> {
  const chosen = variants.filter(variant => options.variant.includes(variant.id))
  const body = await createAlertBody()
  print(
    `${machine()}; a body has ${Buffer.byteLength(body.of('x'))} bytes; ` +
      `${options.connections} connections post, ${options.inserters} insert, on the same machine as the server`
  )
  const measured = []
  for (const variant of chosen) {
    const rounds = await measureRounds(variant, body, {
      rounds: Number(options.rounds),
      seconds: Number(options.seconds),
      connections: Number(options.connections),
      inserters: Number(options.inserters),
      profile: options.profile
    })
    printRounds(rounds)
    measured.push(rounds)
  }
  const starts = []
  for (const variant of Number(options.starts) > 0 ? chosen.filter(each => each.starts) : [])
    starts.push(
      await measureStarts(variant, body, {
        starts: Number(options.starts),
        idleSeconds: Number(options.idle)
      })
    )
  if (starts.length > 0) printStarts(starts)
  writeJson(options.json, { machine: machine(), options, rounds: measured, starts })
  if (measured.some(each => !each.exact)) process.exitCode = 1
}
