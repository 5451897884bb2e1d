import type { Command } from 'commander'
import { variants } from '../ingest/variants.ts'
import { machine, print, writeJson } from '../figures.ts'
import { createAlertBody } from '../payload.ts'
import { measureFirstMinute, printFirstMinute } from './first-minute.ts'
import { measureStarts, printStarts } from './starts.ts'

interface StartOptions {
  readonly starts: string
  readonly idle: string
  readonly minute: string
  readonly json?: string
}

/** Adds `bench start`. */
export function startCommand(program: Command): void {
  program
    .command('start')
    .description(
      'empty folder to first 202, second start and memory at rest, beside a bare Koa + pg application; ' +
        'the longest block of the event loop in the first minute, with an analysis in it'
    )
    .option('--starts <n>', 'starts from an empty folder', '5')
    .option('--idle <s>', 'seconds of rest before memory is read', '10')
    .option('--minute <s>', 'seconds the event loop is watched after the first answer', '60')
    .option('--json <file>', 'write every figure to a file')
    .action((options: StartOptions) => run(options))
}

async function run(options: StartOptions): Promise<void> {
  print(machine())
  const body = await createAlertBody()
  const starts = []
  for (const variant of variants.filter(each => each.starts))
    starts.push(
      await measureStarts(variant, body, {
        starts: Number(options.starts),
        idleSeconds: Number(options.idle)
      })
    )
  printStarts(starts)
  const minute = await measureFirstMinute(body, Number(options.minute))
  printFirstMinute(minute)
  writeJson(options.json, { machine: machine(), options, starts, minute })
  if (minute.analysed === 0) {
    print('NO ANALYSIS ended in that minute')
    process.exitCode = 1
  }
}
