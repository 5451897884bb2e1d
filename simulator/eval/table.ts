import type { Grade } from './grade.ts'
import { wilson } from './wilson.ts'

/** One graded run: a contestant on one variant of one scenario. */
export interface Run {
  readonly contestant: string
  readonly scenario: string
  readonly variant: number
  readonly grade: Grade
  readonly right: boolean
  readonly ms: number
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length
const percent = (share: number): string => `${Math.round(share * 100)}`

/** The results as lines of text: a table by contestant and scenario, then where the product loses points and why. */
export function table(runs: readonly Run[], product: string): string {
  const contestants = [...new Set(runs.map(run => run.contestant))]
  const scenarios = [...new Set(runs.map(run => run.scenario))]
  const rows = contestants.flatMap(contestant =>
    [...scenarios, 'all'].map(scenario =>
      rowOf(
        contestant,
        scenario,
        runs.filter(
          run => run.contestant === contestant && (scenario === 'all' || run.scenario === scenario)
        )
      )
    )
  )
  const head = [
    '',
    'scenario',
    'n',
    'score',
    'culprit right',
    '95 % interval',
    'calls',
    'kB',
    '429s',
    'ms'
  ]
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0))
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [
    line(head),
    ...rows.map(line),
    '',
    ...lost(
      runs.filter(run => run.contestant === product),
      product
    )
  ].join('\n')
}

function rowOf(contestant: string, scenario: string, runs: readonly Run[]): string[] {
  const right = runs.filter(run => run.right).length
  const [low, high] = wilson(right, runs.length)
  const cost = (pick: (grade: Grade) => number): string =>
    mean(runs.map(run => pick(run.grade))).toFixed(0)
  return [
    contestant,
    scenario,
    String(runs.length),
    mean(runs.map(run => run.grade.score)).toFixed(0),
    `${right}/${runs.length}`,
    `${percent(low)}-${percent(high)} %`,
    cost(g => g.cost.calls),
    cost(g => g.cost.bytes / 1000),
    cost(g => g.cost.limited),
    mean(runs.map(run => run.ms)).toFixed(0)
  ]
}

const shortened = (whys: readonly string[]): string =>
  whys.slice(0, 2).join(' | ') + (whys.length > 2 ? ` (and ${whys.length - 2} more)` : '')

function lost(runs: readonly Run[], product: string): string[] {
  const lines = [...Map.groupBy(runs, run => run.scenario)].flatMap(([scenario, own]) => {
    const marks = Map.groupBy(
      own.flatMap(run => run.grade.marks),
      mark => mark.name
    )
    return [...marks].flatMap(([name, all]) => {
      const points = mean(all.map(one => one.points))
      const of = all[0]?.of ?? 0
      const whys = [...new Set(all.filter(one => one.why !== '').map(one => one.why))]
      return points >= of && whys.length === 0
        ? []
        : [`  ${scenario}  ${name} ${points.toFixed(0)} of ${of}: ${shortened(whys)}`]
    })
  })
  return lines.length === 0 ? [] : [`Where ${product} loses points:`, ...lines]
}
