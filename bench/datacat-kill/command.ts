import type { Command } from 'commander'
import { killUnderLoad, type KillRun } from './rounds.ts'
import { isClean, judge, type Verdict } from './verdict.ts'
import { datacatEnvironment } from '../datacat/server.ts'
import { machine, median, print, table, whole, writeJson } from '../figures.ts'
import { createHome, freePort, startProduct, tailOf } from '../process/product.ts'

interface KillOptions {
  readonly kills: string
  readonly connections: string
  readonly load: string
  readonly seed?: string
  readonly json?: string
}

/** Adds `bench datacat-kill`. */
export function datacatKillCommand(program: Command): void {
  program
    .command('datacat-kill')
    .description(
      'kill -9 of the whole process tree under mixed load: what was acknowledged is there ' +
        'once, in order, and states are the serial merge'
    )
    .option('--kills <n>', 'kills', '50')
    .option('--connections <n>', 'senders, one request at a time each', '16')
    .option('--load <ms>', 'longest load between a start and a kill', '4000')
    .option('--seed <n>', 'of the moments of the kills and of the requests; printed')
    .option('--json <file>', 'write every figure to a file')
    .action((options: KillOptions) => run(options))
}

async function run(options: KillOptions): Promise<void> {
  const setting = {
    kills: Number(options.kills),
    connections: Number(options.connections),
    loadMs: Number(options.load),
    seed: Number(options.seed ?? Date.now() % 1_000_000)
  }
  print(
    `${machine()}; ${setting.kills} kills under the load of ${setting.connections} connections, seed ${setting.seed}`
  )
  const { home, remove } = await createHome()
  const port = await freePort()
  const begun = performance.now()
  try {
    const done = await killUnderLoad({
      ...setting,
      home,
      url: `http://127.0.0.1:${port}`,
      start: () => startProduct({ home, port, env: datacatEnvironment })
    })
    const killedMinutes = (performance.now() - begun) / 60_000
    const verdict = await judge(done.product.url, home, done.ledgers)
    await done.product.kill()
    printRun(done, verdict)
    print(
      `${killedMinutes.toFixed(1)} minutes of kills, ` +
        `${((performance.now() - begun) / 60_000).toFixed(1)} with the comparison`
    )
    const clean = isClean(verdict)
    print(
      clean
        ? 'everything acknowledged is there once and in order, and every state is the serial merge of its patches'
        : 'FAILED: see the counts above'
    )
    writeJson(options.json, {
      machine: machine(),
      setting,
      kills: done.kills,
      counts: done.counts,
      verdict
    })
    if (!clean) process.exitCode = 1
  } catch (error) {
    print(`the server's last lines:\n${tailOf(home)}`)
    throw error
  } finally {
    await remove()
  }
}

function printRun(
  { kills, ledgers, counts }: KillRun,
  { acknowledged, doubtful, doubtfulStored, offenders }: Verdict
): void {
  const ready = kills.flatMap(kill => kill.readyMs ?? [])
  print(
    `${kills.length} kills of ${median(kills.map(kill => kill.processes))} processes ` +
      `(median), ${kills.filter(kill => kill.when === 'start').length} of them while the ` +
      `server was starting; ready ${whole(median(ready))} ms after a start (longest ` +
      `${whole(Math.max(...ready))})`
  )
  print(
    `in ${kills.filter(kill => kill.connectionsCut > 0).length} of the loads ` +
      `${whole(kills.reduce((sum, kill) => sum + kill.connectionsCut, 0))} busy connections to ` +
      'the database were cut while the server lived on'
  )
  print(
    `${whole(ledgers.length)} sessions, ${whole(counts.requests)} requests, ` +
      `${whole(counts.unanswered)} without an answer, ${whole(counts.repeated)} tries in vain; ` +
      `${whole(counts.abandoned)} batches abandoned on purpose; ${whole(counts.duplicates)} ` +
      'repeated batches had been stored already'
  )
  print(
    table(
      ['count', 'of', ''],
      [
        [whole(acknowledged), 'items acknowledged', ''],
        [whole(doubtful), 'items in doubt', `${whole(doubtfulStored)} of them stored`],
        ...Object.entries(offenders).map(([offence, found]) => [
          whole(found.length),
          offence,
          found.slice(0, 3).join('; ')
        ])
      ]
    )
  )
}
