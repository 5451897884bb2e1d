import type { TestContext } from 'node:test'
import type { ToolContext } from '../../core/index.ts'
import { createLogger } from '../../core/log.ts'
import { createTestApp } from '../../core/testing.ts'
import datacat from '../../plugins/datacat/plugin.ts'
import proxy from '../../plugins/datadog-proxy/plugin.ts'
import demo from '../../plugins/demo/plugin.ts'
import rca from '../../plugins/rca/plugin.ts'
import webhooks from '../../plugins/webhooks/plugin.ts'
import { createSimulator } from '../../simulator/simulator.ts'

/** What every reading tool answers. */
export interface Answer {
  asked: string
  window: { from: string; to: string } | null
  rows: Record<string, unknown>[]
  total: number | null
  truncated: boolean
  note: string | null
  link: string | null
  simulated: boolean
}

const context = (account?: string): ToolContext => ({
  account,
  log: createLogger({ level: 'silent' }),
  signal: AbortSignal.timeout(60_000)
})

/** The tools over an application whose Datadog is the simulator, with the window of its incident. */
export async function simulatedTools(t: TestContext, scenario = 's1') {
  const simulator = await createSimulator({ scenario })
  t.after(() => simulator.close())
  const app = await createTestApp(t, {
    plugins: [demo, proxy, webhooks, rca, datacat],
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts), RAYNE_DEMO_FIRE: 'false' }
  })
  const ask = async (name: string, input: object, account?: string): Promise<Answer> =>
    (await app.toolbox.execute(name, input, context(account))) as Answer
  const window = {
    from: new Date(simulator.t0 - 30 * 60_000).toISOString(),
    to: new Date(simulator.t0 + 15 * 60_000).toISOString()
  }
  return { app, simulator, ask, window }
}
