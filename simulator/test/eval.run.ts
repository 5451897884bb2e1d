import { parseArgs } from 'node:util'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { createTestApp, createTestDatabase, stopTestServer } from '../../core/testing.ts'
import datadogProxy from '../../plugins/datadog-proxy/plugin.ts'
import rca from '../../plugins/rca/plugin.ts'
import webhooks from '../../plugins/webhooks/plugin.ts'
import { baselines, type Ask } from '../eval/baselines.ts'
import { grade, isRight } from '../eval/grade.ts'
import { table, type Run } from '../eval/table.ts'
import { readReport, type GradedReport, type Verdict } from '../eval/verdict.ts'
import demo from '../../plugins/demo/plugin.ts'
import { loadScenario } from '../scenarios/load-scenario.ts'
import { scenarioNames } from '../scenarios/scenario-files.ts'
import { createSimulator, type Simulator } from '../simulator.ts'
import { drawVariant } from '../scenarios/variant.ts'

const MINUTE = 60_000
const PRODUCT = 'Rayne'

/** What createTestApp needs of a test, outside of one: steps to run at the end. */
function lifetime(): { t: TestContext; end(): Promise<void> } {
  const steps: (() => unknown)[] = []
  return {
    t: {
      after: (step: () => unknown) => steps.push(step),
      diagnostic() {},
      passed: true
    } as unknown as TestContext,
    async end() {
      for (const step of steps) await step()
    }
  }
}

/** The simulator of one variant: seed, names, strength and hour differ; now stands twenty minutes after the onset. */
async function simulate(scenario: string, variant: number, base: number): Promise<Simulator> {
  const t0 = base + drawVariant(loadScenario(scenario), variant, 1 + variant).shiftMs
  return createSimulator({ scenario, seed: 1 + variant, variant, t0, now: () => t0 + 20 * MINUTE })
}

const asker =
  (simulator: Simulator): Ask =>
  async (method, path, body) => {
    const [account] = simulator.accounts
    const response = await fetch(`${account?.baseUrl}${path}`, {
      method,
      headers: {
        'dd-api-key': account?.apiKey ?? '',
        'dd-application-key': account?.appKey ?? '',
        'content-type': 'application/json'
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return response.json()
  }

/** Sends the alert through the front door of a real application and reads the report it stores. */
async function analyse(
  simulator: Simulator,
  keep: (report: GradedReport) => void
): Promise<Verdict> {
  const { t, end } = lifetime()
  try {
    const connection = await createTestDatabase(t)
    const app = await createTestApp(t, {
      plugins: [demo, rca, webhooks, datadogProxy],
      connection,
      env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts) }
    })
    const received = (await app.call(
      'POST',
      '/v1/webhooks/receive',
      simulator.renderWebhook()
    )) as { status: number; body: { event_id: number } }
    await app.drain()
    const event = (await app.call('GET', `/v1/webhooks/events/${received.body.event_id}`)).body as {
      rca?: { url: string }
    }
    const { report } = (await app.call('GET', event.rca?.url ?? '')).body as {
      report: GradedReport | null
    }
    if (!report) throw new Error('the analysis left no report')
    keep(report)
    return readReport(report)
  } finally {
    await end()
  }
}

/** Writes a report where `--reports` says, for a person to read. */
function keepReport(report: GradedReport, scenario: string, variant: number): void {
  if (values.reports === undefined) return
  const name = `${basename(scenario, '.json')}-${variant}.json`
  writeFileSync(join(values.reports, name), JSON.stringify(report, null, 1))
}

async function contest(simulator: Simulator, scenario: string, variant: number): Promise<Run[]> {
  const alertAt = Number((JSON.parse(simulator.renderWebhook()) as { date: string }).date)
  const ask = asker(simulator)
  const contestants: Record<string, () => Promise<Verdict>> = {
    [PRODUCT]: () => analyse(simulator, report => keepReport(report, scenario, variant)),
    ...Object.fromEntries(
      Object.entries(baselines).map(([name, guess]) => [
        name,
        () => guess({ ask, alertAt, seed: variant })
      ])
    )
  }
  const runs: Run[] = []
  for (const [contestant, play] of Object.entries(contestants)) {
    simulator.reset()
    const started = performance.now()
    const verdict = await play()
    const { truth } = simulator
    if (!truth) throw new Error(`scenario '${scenario}' has no truth to grade by`)
    const graded = grade(verdict, truth, {
      entries: simulator.journal(),
      wasReturned: simulator.wasReturned
    })
    runs.push({
      contestant,
      scenario,
      variant,
      grade: graded,
      right: isRight(verdict, truth),
      ms: performance.now() - started
    })
  }
  return runs
}

const { values } = parseArgs({
  options: {
    variants: { type: 'string', default: '3' },
    scenario: { type: 'string', multiple: true },
    json: { type: 'string' },
    reports: { type: 'string' }
  },
  allowPositionals: true
})
const scenarios =
  values.scenario ?? scenarioNames().filter(name => loadScenario(name).full.truth !== undefined)
const base = Math.floor(Date.now() / MINUTE) * MINUTE - 20 * MINUTE
const runs: Run[] = []
try {
  for (const scenario of scenarios)
    for (let variant = 0; variant < Number(values.variants); variant++) {
      const simulator = await simulate(scenario, variant, base)
      try {
        runs.push(...(await contest(simulator, scenario, variant)))
      } finally {
        await simulator.close()
      }
    }
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(runs))
  process.stdout.write(`${table(runs, PRODUCT)}\n`)
} finally {
  await stopTestServer()
}
process.exit(0)
