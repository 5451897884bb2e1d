import { median, print, quantile, ratio, table, whole } from '../figures.ts'
import { batchSender } from './batch-sender.ts'
import { inTurn, type Bench, type PartResult } from './part.ts'
import { metricName, type Datacat } from './server.ts'

const allowed = 1.15
const points = 100

interface Stage {
  readonly size: number
  sessionOf(round: number): string
}

/** Milliseconds of a request that appends 100 points, beside how many points its session already has. */
export async function measureAppend({ server, setting, largest }: Bench): Promise<PartResult> {
  const stages = await prepare(
    server,
    setting.rounds,
    [0, 10_000, Math.min(100_000, setting.largest / 2)],
    { size: setting.largest, session: await largest() }
  )
  const names = stages.map(stage => String(stage.size))
  await measureRound(server, stages, setting.rounds, 20)
  const rounds: Record<string, number>[] = []
  for (let n = 0; n < setting.rounds; n++) {
    const samples = await measureRound(server, stages, n, setting.appends)
    rounds.push(
      Object.fromEntries(names.map((name, index) => [name, quantile(samples[index] ?? [], 0.5)]))
    )
  }
  const first = names[0] ?? ''
  const shareOf = (name: string): number =>
    median(rounds.map(round => (round[name] ?? Number.NaN) / (round[first] ?? Number.NaN)))
  const row = (label: string, figure: (name: string) => number): string[] => [
    label,
    ...names.map(name => figure(name).toFixed(2)),
    ratio(figure(names.at(-1) ?? '') / figure(first))
  ]
  print(
    `\nappend: ${points} points of one metric a request, p50 in ms by points the session has ` +
      `(${setting.appends} requests of each in turn a round)`
  )
  print(
    table(
      ['', ...names.map(name => whole(Number(name))), 'largest/empty'],
      [
        ...rounds.map((round, n) => row(`round ${n + 1}`, name => round[name] ?? Number.NaN)),
        [
          'median',
          ...names.map(name => median(rounds.map(round => round[name] ?? Number.NaN)).toFixed(2)),
          ratio(shareOf(names.at(-1) ?? ''))
        ]
      ]
    )
  )
  return {
    part: 'append',
    figures: { rounds },
    limits: [
      {
        what: `append at ${whole(setting.largest)} points / at 0`,
        measured: shareOf(names.at(-1) ?? ''),
        relation: '≤',
        limit: allowed
      }
    ]
  }
}

/** Small sessions are new in each round: those of the round before have grown by what was measured. */
async function prepare(
  server: Datacat,
  rounds: number,
  sizes: readonly number[],
  last: { size: number; session: string }
): Promise<Stage[]> {
  const stages: Stage[] = []
  for (const size of sizes) {
    const sessions = await server.createSessions(size >= 100_000 ? 1 : rounds + 1)
    for (const session of sessions) await server.fill(session, size)
    stages.push({ size, sessionOf: round => sessions[round % sessions.length] ?? '' })
  }
  return [...stages, { size: last.size, sessionOf: () => last.session }]
}

/** What is measured follows what was filled without a gap, so that a chart of it has points everywhere. */
const secondAfter = (stages: readonly Stage[]): number =>
  Math.max(...stages.map(stage => stage.size)) / 1_000

async function measureRound(
  server: Datacat,
  stages: readonly Stage[],
  round: number,
  requests: number
): Promise<number[][]> {
  const senders = stages.map(stage =>
    batchSender({ url: server.url, session: stage.sessionOf(round), points, names: [metricName] })
  )
  const samples: number[][] = stages.map(() => [])
  const order = stages.map((_, index) => String(index))
  for (let n = 0; n < requests; n++)
    await inTurn(order, n, async name => {
      samples[Number(name)]?.push(
        await senders[Number(name)]!.send(
          `a${round}-${n}`,
          secondAfter(stages) + round * requests + n
        )
      )
    })
  for (const sender of senders) sender.close()
  return samples
}
