import { Command } from 'commander'
import { gaiaCommand } from './gaia.ts'
import { loghubCommand } from './loghub.ts'
import { petshopCommand } from './petshop.ts'
import { rootcausebenchCommand } from './rootcausebench.ts'

const program = new Command('eval')
  .usage('<track> --data DIR [--json FILE]')
  .description('The analysis measured on public data beside the baselines of each set.')
for (const add of [petshopCommand, loghubCommand, gaiaCommand, rootcausebenchCommand]) add(program)
program
  .command('simulator')
  .description("the simulator's scenarios; see `npm run eval -- simulator --help`")
  .allowUnknownOption()
  .allowExcessArguments()
  .helpOption(false)
  .action(async () => {
    await import('../../simulator/test/eval.run.ts')
  })
program
  .command('memory')
  .description("the simulator's scenarios with no past, a helpful and a misleading one")
  .allowUnknownOption()
  .allowExcessArguments()
  .helpOption(false)
  .action(async () => {
    await import('../../simulator/test/memory.run.ts')
  })

try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
