import type { Command } from 'commander'
import { stopTestServer } from '../../core/testing.ts'
import { repeatedChanges, storm, type Outcome } from '../../plugins/notify/test/many-alerts.ts'
import { machine, print, quantile, table, writeJson } from '../figures.ts'
import { lifetime } from '../process/lifetime.ts'

interface IncidentOptions {
  readonly changes: string
  readonly alerts: string
  readonly json?: string
}

/** Adds `bench incidents`. */
export function incidentsCommand(program: Command): void {
  program
    .command('incidents')
    .description(
      'distinct changes sent again and again, then flapping; and a burst of 40 monitors of one machine: ' +
        'what is stored, analysed and told'
    )
    .option('--changes <n>', 'distinct changes', '500')
    .option('--alerts <n>', 'alerts of the burst', '10000')
    .option('--json <file>', 'write every figure to a file')
    .action((options: IncidentOptions) => run(options))
}

async function run(options: IncidentOptions): Promise<void> {
  print(machine())
  const changes = Number(options.changes)
  const { t, end } = lifetime()
  try {
    const { repeated, flapped } = await repeatedChanges(t, changes)
    const burst = await storm(t, Number(options.alerts))
    print(
      table(
        ['what was sent', 'events', 'analyses', 'incidents', 'messages', 'edits', 'p99 ms'],
        [
          [`${changes} changes, 43 times each`, ...figures(repeated)],
          ['and twice over and back', ...figures(flapped)],
          [`${options.alerts} alerts of 40 monitors`, ...figures(burst)]
        ]
      )
    )
    const told = burst.whys.filter(why => why !== '').length
    print(`\nwhy merged: said of ${told} of ${burst.whys.length} members`)
    writeJson(options.json, { machine: machine(), options, repeated, flapped, burst })
  } finally {
    await end()
    await stopTestServer()
  }
}

const figures = ({ events, analyses, incidents, sent, edited, waits }: Outcome) => [
  events,
  analyses,
  incidents.length,
  sent,
  edited,
  quantile(waits, 0.99).toFixed(1)
]
