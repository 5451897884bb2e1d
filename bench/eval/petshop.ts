import type { Command } from 'commander'
import { median, sum } from '../../plugins/rca/service/engine/statistics.ts'
import { rankServices } from '../../plugins/rca/service/engine/rank-services.ts'
import { print, table, writeJson } from '../figures.ts'
import { readPetshop, type PetshopCase } from './petshop-data.ts'
import {
  configurationHash,
  inOrder,
  placeOf,
  rateOf,
  seeded,
  showRate,
  type Scored
} from './score.ts'

type Contestant = (one: PetshopCase) => Scored[]

/** Equal shares with equal own losses are one place. */
const ours: Contestant = one =>
  rankServices({ ...one, onset: one.onset }).ranked.map(({ name, share, own }) => ({
    name,
    score: Math.round(share * 100) + own / (1 + own)
  }))

const seriesOf = (one: PetshopCase, name: string, of: 'window' | 'history'): (number | null)[] => {
  const service = one[of].services.find(candidate => candidate.name === name)
  return [...((one.trouble === 'latency' ? service?.latencySeconds : service?.availability) ?? [])]
}
const known = (values: readonly (number | null)[]): number[] =>
  values.filter(value => value !== null)

/** The largest distance from the median of a normal period, in quartile ranges (after BARO, 2024). */
const maxRobustZ: Contestant = one =>
  inOrder(
    one.window.services.map(({ name }) => {
      const normal = known(seriesOf(one, name, 'history')).sort((a, b) => a - b)
      const at = (share: number): number => normal[Math.floor(share * (normal.length - 1))] ?? 0
      const spread = at(0.75) - at(0.25) || 1e-9
      const centre = median(normal)
      const distances = known(seriesOf(one, name, 'window')).map(value =>
        Math.abs((value - centre) / spread)
      )
      return { name, score: normal.length === 0 ? 0 : Math.max(0, ...distances) }
    })
  )

/** The absolute correlation with the target's series (the strongest of the set's published baselines). */
const rankedCorrelation: Contestant = one => {
  const target = seriesOf(one, one.target, 'window')
  return inOrder(
    one.window.services
      .filter(({ name }) => name !== one.target)
      .map(({ name }) => ({ name, score: correlation(seriesOf(one, name, 'window'), target) }))
  )
}

function correlation(a: readonly (number | null)[], b: readonly (number | null)[]): number {
  const pairs = a.flatMap((x, index) => {
    const y = b[index]
    return x === null || y == null ? [] : [[x, y] as const]
  })
  const meanX = sum(pairs.map(([x]) => x)) / pairs.length
  const meanY = sum(pairs.map(([, y]) => y)) / pairs.length
  const xy = sum(pairs.map(([x, y]) => (x - meanX) * (y - meanY)))
  const scale = Math.sqrt(
    sum(pairs.map(([x]) => (x - meanX) ** 2)) * sum(pairs.map(([, y]) => (y - meanY) ** 2))
  )
  return pairs.length < 3 || scale === 0 ? 0 : Math.abs(xy / scale)
}

const random: Contestant = one => {
  const draw = seeded(one.onset)
  return inOrder(one.window.services.map(({ name }) => ({ name, score: draw() })))
}

const contestants: Readonly<Record<string, Contestant>> = {
  Rayne: ours,
  'ranked correlation': rankedCorrelation,
  'max robust z': maxRobustZ,
  random
}
/** The best of the set's paper in each cell, top-1, and over all its incidents. */
const published: Readonly<Record<string, string>> = {
  'low latency': '0.57',
  'low errors': '0.83',
  'high latency': '0.64',
  'high errors': '0.83',
  'temporal latency': '1.00',
  'temporal errors': '0.75',
  all: '0.647 / 0.868'
}
const removedShare = 0.2
const removalSeeds = 10

interface Played {
  readonly one: PetshopCase
  readonly place: number
  readonly ranking: readonly Scored[]
}
const play = (cases: readonly PetshopCase[], contestant: Contestant): Played[] =>
  cases.map(one => {
    const ranking = contestant(one)
    return { one, ranking, place: placeOf(one.rootCause, ranking) }
  })
const withFewerCalls = (one: PetshopCase, seed: number): PetshopCase => {
  const draw = seeded(seed)
  return { ...one, calls: one.calls.filter(() => draw() >= removedShare) }
}

function row(label: string, played: readonly Played[], best = ''): string[] {
  const top = (k: number): string => showRate(rateOf(played.map(({ place }) => place <= k)))
  return [label, String(played.length), top(1), top(3), best]
}

/** The rows of one contestant: each cell of scenario and metric, the test split alone, and all. */
function rowsOf(name: string, played: readonly Played[]): string[][] {
  const cells = [...new Set(played.map(({ one }) => `${one.scenario} ${one.trouble}`))]
  const shortName = (cell: string): string => cell.replace(/_.*(?= )/, '')
  return [
    ...cells.map(cell =>
      row(
        `${name}: ${cell}`,
        played.filter(({ one }) => `${one.scenario} ${one.trouble}` === cell),
        published[shortName(cell)]
      )
    ),
    row(
      `${name}: test split`,
      played.filter(({ one }) => one.split === 'test')
    ),
    row(`${name}: all`, played, published['all'])
  ]
}

/** `npm run eval -- petshop`: which service is the cause, on the incidents of the PetShop set. */
export function petshopCommand(program: Command): void {
  program
    .command('petshop')
    .description('rank the services of each PetShop incident')
    .requiredOption('--data <dir>', 'folder with one folder a scenario')
    .option('--json <file>', 'write every prediction here')
    .action(({ data, json }: { data: string; json?: string }) => {
      const cases = readPetshop(data)
      if (cases.length === 0) throw new Error(`no incident was found below ${data}`)
      const results = Object.entries(contestants).map(
        ([name, contestant]) => [name, play(cases, contestant)] as const
      )
      const seeds = Array.from({ length: removalSeeds }, (_, index) => index + 1)
      const thinned = seeds.flatMap(seed =>
        play(
          cases.map(one => withFewerCalls(one, seed)),
          ours
        )
      )
      print(`petshop: ${cases.length} incidents, configuration ${configurationHash()}`)
      print(
        table(
          ['contestant: cell', 'n', 'top-1 [95 %]', 'top-3 [95 %]', 'best published'],
          [
            ...results.flatMap(([name, played]) => rowsOf(name, played)),
            row(
              `Rayne: ${removedShare * 100} % of the calls removed, ${removalSeeds} seeds`,
              thinned
            )
          ]
        )
      )
      writeJson(json, {
        track: 'petshop',
        configuration: configurationHash(),
        cases: results.flatMap(([contestant, played]) =>
          played.map(({ one, place, ranking }) => ({
            contestant,
            id: one.id,
            truth: one.rootCause,
            place: Number.isFinite(place) ? place : null,
            prediction: ranking.slice(0, 10)
          }))
        )
      })
    })
}
