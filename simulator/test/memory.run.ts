import { parseArgs } from 'node:util'
import { writeFileSync } from 'node:fs'
import { lifetime } from '../../bench/process/lifetime.ts'
import { createTestDatabase, stopTestServer, type Test } from '../../core/testing.ts'
import { table } from '../../bench/figures.ts'
import { readReport } from '../eval/verdict.ts'
import { loadScenario } from '../scenarios/load-scenario.ts'
import { scenarioNames } from '../scenarios/scenario-files.ts'
import type { Truth } from '../scenarios/truth.ts'
import { alert, gradeOf, MINUTE, open, simulate } from './contest.ts'

/** What an account remembers when the alert comes. */
const pasts = ['none', 'helpful', 'misleading'] as const
type Past = (typeof pasts)[number]
interface Run {
  readonly past: Past
  readonly scenario: string
  readonly variant: number
  readonly score: number
  readonly right: boolean
  /** Whether the like incident of the past is the first that is shown, with the cause somebody gave it. */
  readonly isRecalled: boolean
}
const day = 24 * 60 * MINUTE

/** What somebody said of the earlier incident: the truth, or the likeliest mistake. */
function said(past: Past, { component, class: kind, distractors }: Truth): Said {
  const [decoy] = distractors
  return past === 'helpful'
    ? { judgement: 'right', cause: `${kind} at ${component}`, component, class: kind }
    : {
        judgement: 'wrong',
        cause: `change.deploy at ${decoy?.component ?? 'a neighbour'}`,
        component: decoy?.component ?? 'a neighbour',
        class: 'change.deploy'
      }
}
interface Said {
  readonly judgement: 'right' | 'wrong'
  readonly cause: string
  readonly component: string
  readonly class: string
}

/** One alert of an account that had the same trouble the day before, or not. */
async function play(t: Test, past: Past, scenario: string, variant: number): Promise<Run> {
  const connection = await createTestDatabase(t)
  let before: { readonly id: string; readonly cause: string } | undefined
  if (past !== 'none') {
    const earlier = await simulate(scenario, variant, base - day)
    t.after(() => earlier.close())
    const app = await open(t, earlier, { connection, env: services })
    const { id } = await alert(app, earlier)
    if (!earlier.truth) throw new Error(`${scenario} has no truth`)
    const feedback = said(past, earlier.truth)
    await app.call('POST', `/v1/rca/${id}/feedback`, feedback)
    await app.close()
    before = { id, cause: feedback.cause }
  }
  const simulator = await simulate(scenario, variant, base)
  t.after(() => simulator.close())
  const app = await open(t, simulator, { connection, env: services })
  const { report } = await alert(app, simulator)
  const { grade, right } = gradeOf(simulator, readReport(report))
  const [first] = report.similar ?? []
  return {
    past,
    scenario,
    variant,
    score: grade.score,
    right,
    isRecalled:
      before !== undefined &&
      first?.analysis_id === before.id &&
      first.confirmed_cause === before.cause
  }
}

const { values } = parseArgs({
  options: {
    variants: { type: 'string', default: '1' },
    scenario: { type: 'string', multiple: true },
    json: { type: 'string' }
  },
  allowPositionals: true
})
// The services of the shell, where there are some, so that their part can be measured too.
const services = Object.fromEntries(
  ['OLLAMA_URL', 'QDRANT_URL', 'QDRANT_API_KEY', 'RAYNE_RCA_OLLAMA_MODEL'].flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
)
const base = Math.floor(Date.now() / MINUTE) * MINUTE - 20 * MINUTE
const scenarios =
  values.scenario ?? scenarioNames().filter(name => loadScenario(name).full.truth !== undefined)
const runs: Run[] = []
try {
  for (const scenario of scenarios)
    for (let variant = 0; variant < Number(values.variants); variant++)
      for (const past of pasts) {
        const { t, end } = lifetime()
        try {
          runs.push(await play(t, past, scenario, variant))
        } finally {
          await end()
        }
      }
} finally {
  await stopTestServer()
}
const mean = (figures: readonly number[]): number =>
  figures.reduce((a, b) => a + b, 0) / figures.length
const of = (past: Past, scenario?: string): Run[] =>
  runs.filter(run => run.past === past && (scenario ?? run.scenario) === run.scenario)
const score = (past: Past, scenario?: string): number =>
  mean(of(past, scenario).map(run => run.score))
process.stdout.write(
  `${table(
    ['scenario', 'n', 'no past', 'helpful past', 'misleading past', 'past recalled first'],
    [...scenarios, undefined].map(scenario => [
      scenario ?? 'all',
      of('none', scenario).length,
      ...pasts.map(past => score(past, scenario).toFixed(0)),
      `${[...of('helpful', scenario), ...of('misleading', scenario)].filter(run => run.isRecalled).length} ` +
        `of ${of('helpful', scenario).length + of('misleading', scenario).length}`
    ])
  )}\n`
)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(runs))
const isHarmless = score('helpful') >= score('none') && score('misleading') === score('none')
process.stdout.write(
  isHarmless
    ? 'a helpful past costs nothing, and a misleading one misleads nobody\n'
    : 'FAILED: the past changes the score\n'
)
process.exit(isHarmless ? 0 : 1)
