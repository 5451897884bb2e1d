import { parseArgs } from 'node:util'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { lifetime } from '../../bench/process/lifetime.ts'
import { stopTestServer } from '../../core/testing.ts'
import { baselines, type Ask } from '../eval/baselines.ts'
import { table, type Run } from '../eval/table.ts'
import { readReport, type GradedReport, type Verdict } from '../eval/verdict.ts'
import { loadScenario } from '../scenarios/load-scenario.ts'
import { scenarioNames } from '../scenarios/scenario-files.ts'
import type { Simulator } from '../simulator.ts'
import { analyse, gradeOf, MINUTE, simulate } from './contest.ts'

const PRODUCT = 'Rayne'

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
    [PRODUCT]: async () => {
      const { t, end } = lifetime()
      try {
        const report = await analyse(t, simulator)
        keepReport(report, scenario, variant)
        return readReport(report)
      } finally {
        await end()
      }
    },
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
    runs.push({
      contestant,
      scenario,
      variant,
      ...gradeOf(simulator, verdict),
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
