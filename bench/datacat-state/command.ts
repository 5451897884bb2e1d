import type { Command } from 'commander'
import { measurePatchCost, printPatchCost } from './cost.ts'
import { createStateClient, type StateClient } from './client.ts'
import { compareFinal, type FinalState } from './final.ts'
import { callJson } from '../datacat/connection.ts'
import { startDatacat, type Datacat } from '../datacat/server.ts'
import { machine, print, quantile, table, whole, writeJson } from '../figures.ts'
import { tailOf } from '../process/product.ts'

interface StateOptions {
  readonly seconds: string
  readonly clients: string
  readonly seed?: string
  readonly patches: string
  readonly json?: string
}

/** Adds `bench datacat-state`. */
export function datacatStateCommand(program: Command): void {
  program
    .command('datacat-state')
    .description(
      'many clients patch and read the state of one session: every answer good, every write ' +
        'read back, the end the serial merge'
    )
    .option('--seconds <s>', 'how long', '60')
    .option('--clients <n>', 'connections, each a client', '64')
    .option('--patches <n>', 'one at a time to a state of each size, for the table of costs', '500')
    .option('--seed <n>', 'of the patches; printed')
    .option('--json <file>', 'write every figure to a file')
    .action((options: StateOptions) => run(options))
}

async function run(options: StateOptions): Promise<void> {
  const setting = {
    seconds: Number(options.seconds),
    clients: Number(options.clients),
    seed: Number(options.seed ?? Date.now() % 1_000_000)
  }
  print(
    `${machine()}; ${setting.clients} clients on one session for ${setting.seconds} s, seed ${setting.seed}`
  )
  const server = await startDatacat(undefined)
  const { clients, final } = await patchAndCompare(server, setting).catch((error: unknown) => {
    print(`the server's last lines:\n${tailOf(server.home)}`)
    throw error
  })
  print(`\none patch of one key, ${options.patches} of each size in turn`)
  const costs = await measurePatchCost(server.url, Number(options.patches))
  printPatchCost(costs)
  print()
  await server.end()
  const problems = problemsOf(clients, final)
  printOutcome(clients, final, problems, setting.seconds)
  const clean = problems.every(([, found]) => found.length === 0)
  print(
    clean
      ? 'no error, every write was read back, and the final state is the serial merge of all patches'
      : 'FAILED: see the counts above'
  )
  writeJson(options.json, {
    machine: machine(),
    setting,
    final,
    costs,
    problems: Object.fromEntries(problems),
    patches: clients.flatMap(client => client.patchMs).length
  })
  if (!clean) process.exitCode = 1
}

async function patchAndCompare(
  server: Datacat,
  { seconds, clients: count, seed }: { seconds: number; clients: number; seed: number }
) {
  const { session_id: session } = await callJson<{ session_id: string }>(
    server.url,
    'POST',
    '/api/sessions'
  )
  const clients = Array.from({ length: count }, (_, index) =>
    createStateClient(server.url, session, index, seed)
  )
  const until = performance.now() + seconds * 1000
  await Promise.all(clients.map(client => client.run(until)))
  return { clients, final: await compareFinal(server.url, session, clients) }
}

type Problem = readonly [name: string, found: readonly string[]]

function problemsOf(clients: readonly StateClient[], final: FinalState): Problem[] {
  const patches = clients.reduce((sum, client) => sum + client.patchMs.length, 0)
  const errors = clients.flatMap(client => client.errors)
  return [
    ['error answers', errors],
    ['reads without the own write', clients.flatMap(client => client.stale)],
    ['clients unlike the serial merge', final.wrongClients],
    ['shared keys no last write explains', final.wrongShared],
    ['keys nobody wrote', final.strangers],
    [
      'patches beside the history',
      final.patchesStored === patches || errors.length > 0
        ? []
        : [`${patches} acknowledged, ${final.patchesStored} stored`]
    ],
    ['history unlike the state', final.historyAgrees ? [] : ['merged in order it is another state']]
  ]
}

function printOutcome(
  clients: readonly StateClient[],
  final: FinalState,
  problems: readonly Problem[],
  seconds: number
): void {
  const row = (label: string, ms: readonly number[]): string[] => [
    label,
    whole(ms.length),
    whole(ms.length / seconds),
    quantile(ms, 0.5).toFixed(1),
    quantile(ms, 0.99).toFixed(1),
    Math.max(0, quantile(ms, 1)).toFixed(1)
  ]
  print(
    table(
      ['', 'answers', 'a second', 'p50 ms', 'p99 ms', 'longest'],
      [
        row(
          'patches',
          clients.flatMap(client => client.patchMs)
        ),
        row(
          'reads',
          clients.flatMap(client => client.readMs)
        )
      ]
    )
  )
  print(
    `${whole(final.patchesStored)} patches in the history, ` +
      `${whole(clients.reduce((sum, client) => sum + client.shared.length, 0))} of them to ` +
      'shared keys\n'
  )
  print(
    table(
      ['count', 'of', ''],
      problems.map(([name, found]) => [whole(found.length), name, found.slice(0, 3).join('; ')])
    )
  )
}
