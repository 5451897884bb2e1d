import { createTestApp, createTestDatabase, type Test } from '../../core/testing.ts'
import datadogProxy from '../../plugins/datadog-proxy/plugin.ts'
import demo from '../../plugins/demo/plugin.ts'
import rca from '../../plugins/rca/plugin.ts'
import webhooks from '../../plugins/webhooks/plugin.ts'
import { grade, isRight, type Grade } from '../eval/grade.ts'
import type { GradedReport, Verdict } from '../eval/verdict.ts'
import { loadScenario } from '../scenarios/load-scenario.ts'
import { drawVariant } from '../scenarios/variant.ts'
import { createSimulator, type Simulator } from '../simulator.ts'

export const MINUTE = 60_000

/** The simulator of one variant: seed, names, strength and hour differ; now stands twenty minutes after the onset. */
export async function simulate(
  scenario: string,
  variant: number,
  base: number
): Promise<Simulator> {
  const t0 = base + drawVariant(loadScenario(scenario), variant, 1 + variant).shiftMs
  return createSimulator({ scenario, seed: 1 + variant, variant, t0, now: () => t0 + 20 * MINUTE })
}

/** Sends the alert of a world through the front door of a real application and reads the report it stores. */
export async function analyse(t: Test, simulator: Simulator): Promise<GradedReport> {
  const connection = await createTestDatabase(t)
  const app = await createTestApp(t, {
    plugins: [demo, rca, webhooks, datadogProxy],
    connection,
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts) }
  })
  const received = (await app.call('POST', '/v1/webhooks/receive', simulator.renderWebhook())) as {
    status: number
    body: { event_id: number }
  }
  await app.drain()
  const event = (await app.call('GET', `/v1/webhooks/events/${received.body.event_id}`)).body as {
    rca?: { url: string }
  }
  const { report, error } = (await app.call('GET', event.rca?.url ?? '')).body as {
    report: GradedReport | null
    error: string | null
  }
  if (!report) throw new Error(`the analysis left no report: ${error ?? 'it has no error'}`)
  return report
}

/** What a verdict on the world of a simulator is worth, of what it was shown since its last reset. */
export function gradeOf(
  simulator: Simulator,
  verdict: Verdict
): { readonly grade: Grade; readonly right: boolean } {
  const { truth } = simulator
  if (!truth) throw new Error('a scenario without a truth cannot be graded')
  const shown = { entries: simulator.journal(), wasReturned: simulator.wasReturned }
  return { grade: grade(verdict, truth, shown), right: isRight(verdict, truth) }
}
