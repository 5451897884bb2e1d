import { parseArgs } from 'node:util'
import { scenarioNames } from './scenarios/scenario-files.ts'
import {
  createSimulator,
  type SimAccount,
  type Simulator,
  type SimulatorOptions
} from './simulator.ts'

const usage = `Usage: rayne simulator [options]

A simulated Datadog on two ports of this machine: one that answers like Datadog, one that controls it.

  --scenario NAME|FILE   what happens there: NAMES,
                         or a .json file of your own (default s1)
  --world FILE           a file written by rayne record, instead of a scenario:
                         the same questions get the same answers
  --seed N               other numbers, same story, and keys that are the same every time
  --variant N            the story under other names and at another strength
  --t0 TIME              onset of the incident, ISO (default: 20 minutes ago)
  --speed N              how fast time passes there: 0 stands still, 60 is an hour a minute (default 1)
  --data-port N          port of the Datadog surface (default: a free one)
  --control-port N       port of the control plane (default: a free one)
  --webhook-target URL   where alerts are posted, on this machine
  --webhook-header H     a header for it, "Name: value"; may be repeated
  --latency realistic    answers take as long as Datadog's (default none)
  --rate-limits observed refuse beyond the limits seen on the real API (default off)
  --json                 print one line of JSON for programs
`
/** Rayne's own port, which no webhook written through the API may reach. */
const ownPort = (): number => Number(process.env['PORT'] ?? 8080)

const numberOf = (name: string, text: string, least = -Infinity): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < least)
    throw new Error(
      `--${name} '${text}' is not a number${least === -Infinity ? '' : ` of ${least} or more`}`
    )
  return value
}

const oneOf = <T extends string>(name: string, text: string, allowed: readonly T[]): T => {
  const found = allowed.find(one => one === text)
  if (found === undefined)
    throw new Error(`--${name} '${text}' is not one of ${allowed.join(', ')}`)
  return found
}

/** Only what was given; a reader is not asked about the rest. */
const given = <K extends string, T>(
  name: K,
  text: string | undefined,
  read: (text: string) => T
): { readonly [key in K]?: T } =>
  text === undefined ? {} : ({ [name]: read(text) } as { readonly [key in K]: T })

function timeOf(text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new Error(`--t0 '${text}' is not an ISO time`)
  return at
}

const flags = {
  scenario: { type: 'string', default: 's1' },
  world: { type: 'string' },
  seed: { type: 'string' },
  variant: { type: 'string' },
  t0: { type: 'string' },
  speed: { type: 'string', default: '1' },
  'data-port': { type: 'string', default: '0' },
  'control-port': { type: 'string', default: '0' },
  'webhook-target': { type: 'string' },
  'webhook-header': { type: 'string', multiple: true },
  latency: { type: 'string', default: 'none' },
  'rate-limits': { type: 'string', default: 'off' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false }
} as const

/** Reads the command line; every mistake is a sentence. */
function readOptions(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options: flags })
  const headers = Object.fromEntries((values['webhook-header'] ?? []).map(headerOf))
  return {
    help: values.help,
    json: values.json,
    speed: numberOf('speed', values.speed, 0),
    simulator: {
      scenario: values.scenario,
      controlPort: numberOf('control-port', values['control-port'], 0),
      dataPort: numberOf('data-port', values['data-port'], 0),
      latency: oneOf('latency', values.latency, ['none', 'realistic'] as const),
      rateLimits: oneOf('rate-limits', values['rate-limits'], ['off', 'observed'] as const),
      ...given('world', values.world, String),
      ...given('seed', values.seed, text => numberOf('seed', text)),
      ...given('variant', values.variant, text => numberOf('variant', text)),
      ...given('t0', values.t0, timeOf),
      ...given('webhookTarget', values['webhook-target'], url => ({ url, headers }))
    }
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new Error(`--webhook-header '${line}' is not written as "Name: value"`)
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

/** Time that starts now and passes at a speed; 0 stands still. */
function clockAt(speed: number): (() => number) | 'real' {
  const start = Date.now()
  return speed === 1 ? 'real' : () => start + (Date.now() - start) * speed
}

/** Options of a simulator by itself, which has a control plane too. */
export interface StandaloneOptions extends SimulatorOptions {
  readonly scenario?: string
  readonly world?: string
  readonly controlPort?: number
}
/** A simulator that runs by itself: where it listens, for programs and for people. */
export interface Standalone {
  readonly said: {
    readonly dataUrl: string
    readonly controlUrl: string
    readonly t0: string
    readonly accounts: readonly SimAccount[]
  }
  readonly lines: readonly string[]
  close(): Promise<void>
}

/** Starts a simulator for this process alone; `speed` is how fast time passes there, 0 stands still. */
export async function startStandalone(
  { controlPort = 0, ...options }: StandaloneOptions,
  speed = 1
): Promise<Standalone> {
  const simulator = await createSimulator({
    now: clockAt(speed),
    storedWebhooksGo: 'to other programs of this machine',
    closedPorts: [ownPort()],
    ...options
  })
  const controlUrl = await simulator.openControl(controlPort).catch(async (error: unknown) => {
    await simulator.close()
    throw error
  })
  const { dataUrl, accounts } = simulator
  const t0 = new Date(simulator.t0).toISOString()
  return {
    said: { dataUrl, controlUrl, t0, accounts },
    lines: greeting(simulator, controlUrl, options.world ?? options.scenario ?? 's1'),
    close: () => simulator.close()
  }
}

function greeting(simulator: Simulator, controlUrl: string, story: string): string[] {
  const { accounts, dataUrl, t0 } = simulator
  const [first] = accounts
  return [
    'The simulated Datadog listens; nothing here is real and nothing leaves this machine.',
    '',
    `  Datadog  ${dataUrl}`,
    `  control  ${controlUrl}  (journal, clock, faults, truth; keep it from what you test)`,
    `  scenario ${story}, onset ${new Date(t0).toISOString()}`,
    '',
    'Accounts:',
    ...accounts.flatMap(accountLines),
    '',
    `Ask it:  curl -s -H "DD-API-KEY: ${first?.apiKey}" -H "DD-APPLICATION-KEY: ${first?.appKey}" \\`,
    `           ${first?.baseUrl}/api/v1/monitor`,
    `Alert:   curl -s -X POST ${controlUrl}/__sim/webhooks/fire -d {}`,
    'Stop:    Ctrl-C'
  ]
}

const accountLines = ({ name, site, baseUrl, apiKey, appKey }: SimAccount): string[] => [
  `  ${name} (${site})`,
  `    address  ${baseUrl}`,
  `    api key  ${apiKey}`,
  `    app key  ${appKey}`
]

/** The simulator as a process of its own: says where it listens, ends on SIGTERM or SIGINT. */
export async function main(args: readonly string[]): Promise<void> {
  const { help, json, speed, simulator } = readOptions(args)
  if (help) {
    process.stdout.write(usage.replace('NAMES', scenarioNames().join(', ')))
    return
  }
  const { said, lines, close } = await startStandalone(simulator, speed)
  process.stdout.write(json ? `${JSON.stringify(said)}\n` : `${lines.join('\n')}\n`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void close().then(() => process.exit(0)))
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}
