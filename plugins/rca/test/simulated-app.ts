import type { TestContext } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { createSimulator, type Simulator } from '../../../simulator/simulator.ts'
import datadogProxy from '../../datadog-proxy/plugin.ts'
import demo from '../../demo/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import type { AnalysisStatus, Report } from '../contract.ts'
import rca from '../plugin.ts'

/** One analysis as the API shows it. */
export interface Analysis {
  readonly id: string
  readonly event_id: number | null
  readonly status: AnalysisStatus
  readonly attempt: number
  readonly error: string | null
  readonly requested_by: string | null
  readonly rerun_of: string | null
  readonly monitor_id?: string | null
  readonly account: string | null
  readonly report: Report | null
  readonly notebook: { readonly id: string; readonly url: string; readonly name: string } | null
}

/** A whole application whose Datadog is the simulator. */
export async function simulatedApp(
  t: TestContext,
  scenario = 's1',
  env: Readonly<Record<string, string>> = {}
) {
  const simulator = await createSimulator({ scenario })
  t.after(() => simulator.close())
  const app = await createTestApp(t, {
    plugins: [demo, datadogProxy, rca, webhooks],
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts), ...env }
  })
  const get = async <T>(path: string): Promise<T> => (await app.call<T>('GET', path)).body
  const analysis = (id: string) => get<Analysis>(`/v1/rca/${id}`)
  /** Delivers an alert, runs what is due and returns its analysis. */
  const alerted = async (body: string = simulator.renderWebhook()): Promise<Analysis> => {
    const sent = await app.call<{ event_id: number }>('POST', '/v1/webhooks/receive', body)
    await app.drain()
    const event = await get<{ rca?: { id: string } }>(`/v1/webhooks/events/${sent.body.event_id}`)
    return analysis(event.rca?.id ?? '')
  }
  const { monitor_id: monitor } = JSON.parse(simulator.renderWebhook()) as { monitor_id: unknown }
  return {
    app,
    simulator,
    get,
    analysis,
    alerted,
    monitor: String(monitor),
    notebooks: () => notebooksOf(simulator)
  }
}

/** How many notebooks were made. */
const notebooksOf = (simulator: Simulator): number =>
  simulator.journal().filter(entry => entry.method === 'POST' && entry.path.endsWith('/notebooks'))
    .length
