import { Option, type Command } from 'commander'
import { machine, print, whole, writeJson } from '../figures.ts'
import { measureHalfRate, printHalfRates } from './half-rate.ts'
import { printRounds } from './print-rounds.ts'
import { measureRounds, problemsOf } from './rounds.ts'
import { countStored, startServer, type Server } from './servers.ts'
import { variants } from './variants.ts'
import { createAlertBody } from '../payload.ts'

interface IngestOptions {
  readonly rounds: string
  readonly seconds: string
  readonly connections: string
  readonly inserters: string
  readonly stored: string
  readonly variant: readonly string[]
  readonly profile?: string
  readonly json?: string
}

/** Adds `bench ingest`. */
export function ingestCommand(program: Command): void {
  program
    .command('ingest')
    .description(
      'durable webhook acknowledgements per second beside a bare Koa echo and single inserts, ' +
        'in one interleaved run; latency at half the rate, with few and with many events stored'
    )
    .option('--rounds <n>', 'interleaved rounds a variant', '5')
    .option('--seconds <s>', 'length of one measurement', '3')
    .option('--connections <n>', 'keep-alive connections of the sender', '64')
    .option('--inserters <n>', 'connections of the single-insert loop', '32')
    .option('--stored <n>', 'events stored before latency is measured again', '1000000')
    .addOption(
      new Option('--variant <id...>', 'which variants')
        .choices(variants.map(variant => variant.id))
        .default(['webhooks-web', 'all-web'])
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
  const servers: Server[] = []
  for (const variant of chosen) servers.push(await startServer(variant, body, options.profile))
  const seconds = Number(options.seconds)
  const connections = Number(options.connections)
  const rounds = await measureRounds(servers, body, {
    rounds: Number(options.rounds),
    seconds,
    connections,
    inserters: Number(options.inserters)
  })
  printRounds(rounds, chosen)
  let exact = rounds.every(round => [...round.values()].every(each => problemsOf(each) === ''))
  for (const { variant, home } of servers) {
    const acknowledged = rounds.reduce(
      (sum, round) => sum + (round.get(variant.id)?.statuses['202'] ?? 0),
      0
    )
    const stored = await countStored(home, 'bench-r')
    exact &&= acknowledged === stored
    print(
      `${variant.id}: acknowledged ${whole(acknowledged)}, in the database ${whole(stored)}: ` +
        (acknowledged === stored ? 'exactly the same' : 'NOT THE SAME')
    )
  }
  const halves = []
  for (const server of servers) {
    for (const other of servers) if (other !== server) other.product.pause()
    const stored = Number(options.stored)
    halves.push(...(await measureHalfRate(server, rounds, body, { seconds, connections, stored })))
    for (const other of servers) other.product.resume()
  }
  printHalfRates(halves)
  for (const server of servers) await server.end()
  writeJson(options.json, {
    machine: machine(),
    options,
    rounds: rounds.map(round => Object.fromEntries(round)),
    halves
  })
  if (!exact || halves.some(half => !half.exact)) process.exitCode = 1
}
