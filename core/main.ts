import { Command, Option } from 'commander'
import * as admin from './cli/admin.ts'
import { command } from './cli/context.ts'
import { receive } from './cli/receive.ts'
import { start } from './cli/start.ts'
import { runPluginScript } from './load.ts'
import { version } from './version.ts'

const json = (): Option => new Option('--json', 'print JSON for programs')
const program = new Command('rayne')
  .version(version)
  .description(
    'An observability agent platform: an alert comes in, an evidence-based root cause goes out.'
  )
  .showHelpAfterError()
  .addHelpText(
    'after',
    '\nSettings come from the environment (HOST, PORT, RAYNE_HOME, DATABASE_URL, DD_API_KEY, …); README.md lists them.'
  )

program.command('start', { isDefault: true }).description('start the server').action(command(start))
program
  .command('doctor')
  .description('run every check and say how to fix what fails')
  .addOption(json())
  .action(command(admin.doctor))
program
  .command('migrate')
  .description('bring the database up to date')
  .addOption(json())
  .action(command(admin.migrateDatabase))
program
  .command('receive')
  .argument('<file.json>', 'the webhook body')
  .description('post one webhook from a file to a running server')
  .option('--url <url>', 'the server (default http://127.0.0.1:$PORT)')
  .option('--account <name>', 'route it to this account')
  .option('--token <secret>', 'ingest secret (or RAYNE_TOKEN)')
  .option('--wait <seconds>', 'how long to wait for the analysis', '15')
  .addOption(json())
  .action(command(receive))
program
  .command('record')
  .argument('<file.json>', 'where to write')
  .description(
    'a redacted snapshot of what an analysis of one monitor reads, for the simulator to replay'
  )
  .requiredOption('--account <name>')
  .requiredOption('--monitor <id>')
  .option('--window <span>', 'how far back, as 30m or 2h', '1h')
  .option('--at <time>', 'when it alerted; the last alert of the monitor when left out')
  .option('--service <name>')
  .option('--env <name>')
  .option('--host <name>')
  .option('--anonymise', 'replace host names as well')
  .addOption(json())
  .action(command(admin.provided('record')))

const jobs = program
  .command('jobs')
  .description('durable jobs')
  .addOption(json())
  .option('--name <queue>')
  .addOption(
    new Option('--state <state>').choices([
      'created',
      'retry',
      'active',
      'completed',
      'cancelled',
      'failed'
    ])
  )
  .action(command(admin.showJobs))
jobs
  .command('retry')
  .argument('[id...]', 'failed jobs; all of them when none is named')
  .description('run failed jobs again')
  .addOption(json())
  .action(command(admin.retryJobs))

const users = program
  .command('users')
  .description('people who may log in')
  .addOption(json())
  .action(command(admin.showUsers))
users
  .command('add')
  .argument('<name>')
  .addOption(new Option('--role <role>').choices(['admin', 'member']).default('member'))
  .option('--password <password>', '12 characters or more; made up when left out')
  .addOption(json())
  .action(command(admin.addUser))
users.command('remove').argument('<name>').addOption(json()).action(command(admin.removeUser))

const tokens = program
  .command('tokens')
  .description('API tokens and ingest secrets')
  .addOption(json())
  .action(command(admin.showTokens))
tokens
  .command('add')
  .argument('<name>')
  .requiredOption('--scope <scope...>', 'ingest, read, write, admin, tools')
  .option('--days <days>', 'until it expires; never when left out')
  .addOption(json())
  .action(command(admin.addToken))
tokens.command('revoke').argument('<id>').addOption(json()).action(command(admin.revokeToken))
program
  .command('secrets')
  .description('keys of stored accounts')
  .command('rotate')
  .description('seal them anew under a new key; a running server goes on')
  .addOption(json())
  .action(command(admin.provided('secrets-rotate')))
program
  .command('simulator')
  .description('a simulated Datadog by itself; `rayne simulator --help` lists its options')
  .helpOption(false)
  .allowUnknownOption()
  .argument('[options...]')
  .action(command((options: string[]) => runPluginScript('..', 'simulator/main.ts', options)))

await program.parseAsync()
