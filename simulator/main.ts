import { parseArgs } from 'node:util'
import { createSimulator, type Simulator } from './simulator.ts'

const usage = `Usage: rayne simulator [options]

A simulated Datadog on two ports of this machine: one that answers like Datadog, one that controls it.

  --scenario NAME|FILE   what happens there: s1, s2, s5, base, or a .json file of your own (default s1)
  --world FILE           a file written by rayne record, instead of a scenario: the same questions get the same answers
  --seed N               other numbers, same story (default 1)
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

/** Reads the command line; every mistake is a sentence. */
function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', default: 's1' },
      world: { type: 'string' },
      seed: { type: 'string', default: '1' },
      variant: { type: 'string' },
      t0: { type: 'string' },
      speed: { type: 'string', default: '1' },
      'data-port': { type: 'string', default: '0' },
      'control-port': { type: 'string', default: '0' },
      'webhook-target': { type: 'string' },
      'webhook-header': { type: 'string', multiple: true, default: [] },
      latency: { type: 'string', default: 'none' },
      'rate-limits': { type: 'string', default: 'off' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  const t0 = values.t0 === undefined ? undefined : Date.parse(values.t0)
  if (t0 !== undefined && Number.isNaN(t0))
    throw new Error(`--t0 '${values.t0}' is not an ISO time`)
  const headers = Object.fromEntries(
    values['webhook-header'].map(line => [
      line.slice(0, line.indexOf(':')).trim(),
      line.slice(line.indexOf(':') + 1).trim()
    ])
  )
  const target = values['webhook-target']
  return {
    help: values.help,
    json: values.json,
    speed: numberOf('speed', values.speed, 0),
    simulator: {
      scenario: values.scenario,
      seed: numberOf('seed', values.seed),
      dataPort: numberOf('data-port', values['data-port'], 0),
      controlPort: numberOf('control-port', values['control-port'], 0),
      latency: oneOf('latency', values.latency, ['none', 'realistic'] as const),
      rateLimits: oneOf('rate-limits', values['rate-limits'], ['off', 'observed'] as const),
      ...(values.world === undefined ? {} : { world: values.world }),
      ...(values.variant === undefined ? {} : { variant: numberOf('variant', values.variant) }),
      ...(t0 === undefined ? {} : { t0 }),
      ...(target === undefined ? {} : { webhookTarget: { url: target, headers } })
    }
  }
}

function greeting(simulator: Simulator, scenario: string): string {
  const accounts = simulator.accounts
    .map(
      ({ name, site, baseUrl, apiKey, appKey }) =>
        `  ${name} (${site})\n    address  ${baseUrl}\n    api key  ${apiKey}\n    app key  ${appKey}`
    )
    .join('\n')
  const alert = 'curl -s -X POST CONTROL/__sim/webhooks/fire -d {}'.replace(
    'CONTROL',
    simulator.controlUrl
  )
  return `The simulated Datadog listens; nothing here is real and nothing leaves this machine.\n\n  Datadog  ${simulator.dataUrl}\n  control  ${simulator.controlUrl}  (journal, clock, faults, truth; keep it from what you test)\n  scenario ${scenario}, onset ${new Date(simulator.t0).toISOString()}\n\nAccounts:\n${accounts}\n\nAsk it:  curl -s -H "DD-API-KEY: ${simulator.accounts[0]?.apiKey}" -H "DD-APPLICATION-KEY: ${simulator.accounts[0]?.appKey}" ${simulator.accounts[0]?.baseUrl}/api/v1/monitor\nAlert:   ${alert}\nStop:    Ctrl-C\n`
}

/** The simulator as a process of its own: says where it listens, ends on SIGTERM or SIGINT. */
export async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  if (options.help) {
    process.stdout.write(usage)
    return
  }
  const simulator = await createSimulator(options.simulator)
  if (options.speed !== 1)
    await fetch(`${simulator.controlUrl}/__sim/clock`, {
      method: 'POST',
      body: JSON.stringify({ speed: options.speed })
    })
  const { dataUrl, controlUrl, accounts } = simulator
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ dataUrl, controlUrl, t0: new Date(simulator.t0).toISOString(), accounts })}\n`
      : greeting(simulator, options.simulator.world ?? options.simulator.scenario)
  )
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void simulator.close().then(() => process.exit(0)))
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}
