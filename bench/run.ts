import { Command } from 'commander'
import { datacatCommand } from './datacat/command.ts'
import { datacatKillCommand } from './datacat-kill/command.ts'
import { datacatStateCommand } from './datacat-state/command.ts'
import { fuzzCommand } from './fuzz/command.ts'
import { incidentsCommand } from './incidents/command.ts'
import { ingestCommand } from './ingest/command.ts'
import { killCommand } from './kill/command.ts'
import { killAnalysisCommand } from './kill-analysis/command.ts'
import { proxyCommand } from './proxy/command.ts'
import { rcaCommand } from './rca/command.ts'
import { sandboxCommand } from './sandbox/command.ts'
import { siegeCommand } from './siege/command.ts'
import { startCommand } from './start/command.ts'
import { stopEverything } from './process/started.ts'

const program = new Command('bench')
  .usage('<name> [options]')
  .description(
    'Measurements, as ratios to a baseline of the same run; every one knows --help and --json FILE.'
  )
for (const add of [
  ingestCommand,
  startCommand,
  fuzzCommand,
  incidentsCommand,
  killCommand,
  killAnalysisCommand,
  proxyCommand,
  siegeCommand,
  datacatCommand,
  datacatKillCommand,
  datacatStateCommand,
  rcaCommand,
  sandboxCommand
])
  add(program)

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void stopEverything().finally(() => process.exit(1))
  })
try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error)
  process.exitCode = 1
}
await stopEverything()
// A measurement that failed may leave a sender trying, which would keep this process.
process.exit()
