import { parseArgs } from 'node:util'
import { createSimulator } from './simulator.ts'

/** The simulator as a process of its own: prints one JSON line once it listens, ends on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: 's1' }, seed: { type: 'string', default: '1' }, t0: { type: 'string' }, 'data-port': { type: 'string', default: '0' }, 'control-port': { type: 'string', default: '0' },
      'webhook-target': { type: 'string' }, 'webhook-header': { type: 'string', multiple: true, default: [] }, latency: { type: 'string', default: 'none' }, 'rate-limits': { type: 'string', default: 'off' }
    }
  })
  const t0 = values.t0 === undefined ? undefined : Date.parse(values.t0)
  if (t0 !== undefined && Number.isNaN(t0)) throw new Error(`--t0 '${values.t0}' is not an ISO time`)
  const target = values['webhook-target']
  const headers = Object.fromEntries(values['webhook-header'].map(line => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]))
  const simulator = await createSimulator({
    scenario: values.scenario, seed: Number(values.seed), dataPort: Number(values['data-port']), controlPort: Number(values['control-port']),
    latency: values.latency === 'realistic' ? 'realistic' : 'none', rateLimits: values['rate-limits'] === 'observed' ? 'observed' : 'off',
    ...t0 === undefined ? {} : { t0 }, ...target === undefined ? {} : { webhookTarget: { url: target, headers } }
  })
  const { dataUrl, controlUrl, accounts } = simulator
  process.stdout.write(`${JSON.stringify({ dataUrl, controlUrl, t0: new Date(simulator.t0).toISOString(), accounts })}\n`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void simulator.close().then(() => process.exit(0)))
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
