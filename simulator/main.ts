import {
  createSimulator,
  type SimAccount,
  type Simulator,
  type SimulatorOptions
} from './simulator.ts'

/** Rayne's own port, which no webhook written through the API may reach. */
const ownPort = (): number => Number(process.env['PORT'] ?? 8080)

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
