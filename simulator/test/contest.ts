import { eventually } from '../../core/test/eventually.ts'
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

/** An application whose Datadog is a simulator, on a database of its own or on one that has a past. */
export async function open(
  t: Test,
  simulator: Simulator,
  { connection, env = {} }: OpenOptions = {}
): Promise<TestApp> {
  return createTestApp(t, {
    plugins: [demo, rca, webhooks, datadogProxy],
    connection: connection ?? (await createTestDatabase(t)),
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts), ...env }
  })
}
interface OpenOptions {
  readonly connection?: Connection
  readonly env?: Readonly<Record<string, string>>
}
export type TestApp = Awaited<ReturnType<typeof createTestApp>>
type Connection = Awaited<ReturnType<typeof createTestDatabase>>

/** Sends the alert of a world through the front door of an application and reads the analysis it stores. */
export async function alert(
  app: TestApp,
  simulator: Simulator
): Promise<{ readonly id: string; readonly report: GradedReport }> {
  const received = (await app.call('POST', '/v1/webhooks/receive', simulator.renderWebhook())) as {
    status: number
    body: { event_id: number }
  }
  // On a machine that is busy an attempt may lose its job, and the next one comes a little later.
  const { id, report, error } = await eventually(
    'the end of the analysis',
    async () => {
      await app.drain()
      const path = `/v1/webhooks/events/${received.body.event_id}`
      const event = (await app.call('GET', path)).body as { rca?: { url: string } }
      const found = (await app.call('GET', event.rca?.url ?? '')).body as Analysed
      return found.finished_at !== null && found
    },
    5 * MINUTE
  )
  if (!report) throw new Error(`the analysis left no report: ${error ?? 'it has no error'}`)
  return { id, report }
}

interface Analysed {
  readonly id: string
  readonly report: GradedReport | null
  readonly error: string | null
  readonly finished_at: string | null
}

/** The report of a world, of an application that has never seen another. */
export const analyse = async (t: Test, simulator: Simulator): Promise<GradedReport> =>
  (await alert(await open(t, simulator), simulator)).report

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
