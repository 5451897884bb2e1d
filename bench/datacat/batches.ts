import { median, print, ratio, table, whole } from '../figures.ts'
import type { LoadResult } from '../ingest/post-load.ts'
import { costed, costOf, insertRows, loadBatches, problemsOf, type Costed } from './load.ts'
import { inTurn, type Bench, type PartResult } from './part.ts'

const clients = 4
const points = 1_000
const slots = ['batches', 'values', 'arrays'] as const
type Slot = (typeof slots)[number]
type Round = Record<Slot, Costed>

/** Points a second in batches of 1,000 from 4 clients, beside rows a second that 4 clients insert 1,000 a statement. */
export async function measureBatches({ server, setting }: Bench): Promise<PartResult> {
  const sessions = await server.createSessions(clients)
  let secondAt = 0
  let acknowledged = 0
  const post = async (round: string, seconds: number): Promise<LoadResult> => {
    secondAt += 100_000
    const result = await loadBatches({
      url: server.url,
      sessions,
      points,
      seconds,
      round,
      secondAt
    })
    acknowledged += (result.statuses['accepted'] ?? 0) * points
    return result
  }
  const measure = (slot: Slot, round: string, seconds: number): Promise<Costed> =>
    slot === 'batches'
      ? costed(server, () => post(round, seconds))
      : server.frozen(() =>
          costed(server, () => insertRows(server, { shape: slot, clients, rows: points, seconds }))
        )
  for (const slot of slots) await measure(slot, 'warm', 1)
  const rounds: Round[] = []
  for (let n = 0; n < setting.rounds; n++)
    rounds.push(await inTurn(slots, n, slot => measure(slot, `b${n}`, setting.seconds)))
  const stored = await server.storedPoints(sessions)
  const problems = rounds
    .flatMap(round => slots.map(slot => problemsOf(round[slot])))
    .filter(Boolean)
  printBatches(rounds, acknowledged, stored)
  const perSecond = median(rounds.map(round => round.batches.perSecond))
  return {
    part: 'batches',
    figures: { rounds, acknowledged, stored },
    limits: [
      { what: 'points/s in batches', measured: perSecond, relation: '≥', limit: 50_000 },
      {
        what: 'points/s in batches / multi-row inserts',
        measured: median(rounds.map(round => round.batches.perSecond / round.values.perSecond)),
        relation: '≥',
        limit: 0.5
      },
      {
        what: 'batches: points stored beside acknowledged',
        measured: stored,
        relation: '=',
        limit: acknowledged
      },
      { what: 'batches: rounds with errors', measured: problems.length, relation: '=', limit: 0 }
    ]
  }
}

function printBatches(rounds: readonly Round[], acknowledged: number, stored: number): void {
  print(
    `\nbatches: ${clients} clients, ${whole(points)} points a request, each acknowledged ` +
      `when it is committed; the same of plain inserts of ${whole(points)} rows a statement`
  )
  const middle = (pick: (round: Round) => number): number => median(rounds.map(pick))
  const line = (
    label: string,
    figure: (pick: (round: Round) => number) => number,
    problems: string
  ): string[] => [
    label,
    ...slots.map(slot => whole(figure(round => round[slot].perSecond))),
    ratio(figure(round => round.batches.perSecond / round.values.perSecond)),
    ratio(figure(round => round.batches.perSecond / round.arrays.perSecond)),
    figure(round => round.batches.p50).toFixed(1),
    figure(round => round.batches.p99).toFixed(1),
    problems
  ]
  print(
    table(
      [
        '',
        'points/s',
        'rows/s, VALUES',
        'rows/s, arrays',
        'points/VALUES',
        'points/arrays',
        'p50 ms',
        'p99 ms',
        'errors'
      ],
      [
        ...rounds.map((round, n) =>
          line(
            `round ${n + 1}`,
            pick => pick(round),
            slots
              .map(slot => problemsOf(round[slot]))
              .filter(Boolean)
              .join('; ') || 'none'
          )
        ),
        line('median', middle, '')
      ]
    )
  )
  const cost = (slot: Slot): readonly Costed[] => rounds.map(round => round[slot])
  print(
    `processor time for ${whole(points)}: ${costOf(cost('batches'), 'nodeCost', points)} in ` +
      `node and ${costOf(cost('batches'), 'postgresCost', points)} in PostgreSQL; VALUES ` +
      `${costOf(cost('values'), 'postgresCost', points)}, arrays ` +
      `${costOf(cost('arrays'), 'postgresCost', points)} in PostgreSQL`
  )
  print(`acknowledged ${whole(acknowledged)} points, in the database ${whole(stored)}`)
}
