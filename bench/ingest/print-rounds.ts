import { median, print, ratio, table, whole } from '../figures.ts'
import { problemsOf, type Measured, type Round } from './rounds.ts'
import type { Variant } from './variants.ts'

const of = (round: Round, name: string): Measured => {
  const found = round.get(name)
  if (!found) throw new Error(`round without '${name}'`)
  return found
}

/** The rounds side by side, what an answer costs, and how each variant stands to both baselines. */
export function printRounds(rounds: readonly Round[], variants: readonly Variant[]): void {
  const rate = (name: string): number => median(rounds.map(round => of(round, name).perSecond))
  const share = (name: string, base: string): number =>
    median(rounds.map(round => of(round, name).perSecond / of(round, base).perSecond))
  const rows = rounds.map((round, n) => [
    `round ${n + 1}`,
    whole(of(round, 'echo').perSecond),
    whole(of(round, 'inserts').perSecond),
    ...variants.flatMap(({ id }) => [
      whole(of(round, id).perSecond),
      ratio(of(round, id).perSecond / of(round, 'inserts').perSecond),
      ratio(of(round, id).perSecond / of(round, 'echo').perSecond)
    ]),
    [...round]
      .map(([name, result]) => [name, problemsOf(result)])
      .filter(([, problems]) => problems !== '')
      .map(([name, problems]) => `${name}: ${problems}`)
      .join('; ') || 'none'
  ])
  const middle = [
    'median',
    whole(rate('echo')),
    whole(rate('inserts')),
    ...variants.flatMap(({ id }) => [
      whole(rate(id)),
      ratio(share(id, 'inserts')),
      ratio(share(id, 'echo'))
    ]),
    ''
  ]
  const heading = [
    '',
    'Koa echo/s',
    'single inserts/s',
    ...variants.flatMap(({ id }) => [`${id} acks/s`, '/inserts', '/echo']),
    'errors'
  ]
  print(`\nAcknowledgements a second\n${table(heading, [...rows, middle])}`)
  printCosts(rounds, variants)
}

function printCosts(rounds: readonly Round[], variants: readonly Variant[]): void {
  const figure = (name: string, part: 'nodeCost' | 'postgresCost' | 'p50' | 'p99'): number =>
    median(rounds.map(round => of(round, name)[part]))
  const row = (title: string, name: string): string[] => [
    title,
    `${whole(figure(name, 'nodeCost'))} µs`,
    `${whole(figure(name, 'postgresCost'))} µs`,
    median(rounds.map(round => of(round, name).transactions)).toFixed(3),
    figure(name, 'p50').toFixed(1),
    figure(name, 'p99').toFixed(1)
  ]
  print(
    `\nOne answer (processor time, and transactions that write)\n${table(
      ['', 'node', 'PostgreSQL', 'transactions', 'p50 ms', 'p99 ms'],
      [
        row('Koa echo', 'echo'),
        row('single insert', 'inserts'),
        ...variants.map(({ id, title }) => row(title, id))
      ]
    )}`
  )
}
