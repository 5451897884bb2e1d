import { median, print, ratio, table, whole } from '../figures.ts'
import type { LoadResult } from '../ingest/post-load.ts'
import { startHelper } from '../process/own-process.ts'
import { costed, costOf, insertRows, loadRequests, problemsOf, type Costed } from './load.ts'
import { inTurn, type Bench, type PartResult } from './part.ts'
import { metricName } from './server.ts'

const sessionCount = 1_000
const connections = 64
const slots = ['echo', 'singles', 'inserts'] as const
type Slot = (typeof slots)[number]
type Round = Record<Slot, Costed>

/** As the Python client sends it. */
const body = JSON.stringify({ name: metricName, value: 12.5, tags: [] })

/** Metrics a second, one a request over the old path, beside an echo and single inserts at as many connections. */
export async function measureSingles({ server, setting }: Bench): Promise<PartResult> {
  const sessions = await server.createSessions(sessionCount)
  const paths = sessions.map(session => `/api/sessions/${session}/metrics`)
  const echo = await startHelper<{ url: string }>('bench/ingest/echo-server.ts', [])
  let acknowledged = 0
  const post = async (seconds: number): Promise<LoadResult> => {
    const result = await loadRequests({
      url: server.url,
      method: 'POST',
      paths,
      body,
      connections,
      seconds
    })
    acknowledged += result.statuses['200'] ?? 0
    return result
  }
  const run: Record<Slot, (seconds: number) => Promise<Costed>> = {
    echo: seconds =>
      server.frozen(() =>
        costed(
          server,
          () =>
            loadRequests({
              url: echo.said.url,
              method: 'POST',
              paths: ['/'],
              body,
              connections,
              seconds
            }),
          echo.pid
        )
      ),
    singles: seconds => costed(server, () => post(seconds)),
    inserts: seconds =>
      server.frozen(() =>
        costed(server, () =>
          insertRows(server, { shape: 'values', clients: connections, rows: 1, seconds })
        )
      )
  }
  for (const slot of slots) await run[slot](1)
  const rounds: Round[] = []
  for (let n = 0; n < setting.rounds; n++)
    rounds.push(await inTurn(slots, n, slot => run[slot](setting.seconds)))
  await echo.stop()
  const stored = await server.storedPoints(sessions)
  const problems = rounds
    .flatMap(round => slots.map(slot => problemsOf(round[slot])))
    .filter(Boolean)
  printSingles(rounds, acknowledged, stored)
  return {
    part: 'singles',
    figures: { rounds, acknowledged, stored },
    limits: [
      {
        what: 'single metrics/s',
        measured: median(rounds.map(round => round.singles.perSecond)),
        relation: '≥',
        limit: 8_000
      },
      {
        what: 'single metrics stored beside acknowledged',
        measured: stored,
        relation: '=',
        limit: acknowledged
      },
      {
        what: 'single metrics: rounds with errors',
        measured: problems.length,
        relation: '=',
        limit: 0
      }
    ]
  }
}

function printSingles(rounds: readonly Round[], acknowledged: number, stored: number): void {
  print(
    `\nsingles: POST /api/sessions/{id}/metrics over ${whole(sessionCount)} sessions at ` +
      `${connections} connections; 200 means committed`
  )
  const middle = (pick: (round: Round) => number): number => median(rounds.map(pick))
  const line = (
    label: string,
    figure: (pick: (round: Round) => number) => number,
    problems: string
  ): string[] => [
    label,
    ...slots.map(slot => whole(figure(round => round[slot].perSecond))),
    ratio(figure(round => round.singles.perSecond / round.echo.perSecond)),
    ratio(figure(round => round.singles.perSecond / round.inserts.perSecond)),
    figure(round => round.singles.p50).toFixed(1),
    figure(round => round.singles.p99).toFixed(1),
    problems
  ]
  print(
    table(
      [
        '',
        'Koa echo/s',
        'metrics/s',
        'single inserts/s',
        'metrics/echo',
        'metrics/inserts',
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
    `processor time for one: echo ${costOf(cost('echo'), 'nodeCost')}; metric ` +
      `${costOf(cost('singles'), 'nodeCost')} in node and ` +
      `${costOf(cost('singles'), 'postgresCost')} in PostgreSQL; single insert ` +
      `${costOf(cost('inserts'), 'postgresCost')} in PostgreSQL`
  )
  print(`acknowledged ${whole(acknowledged)}, in the database ${whole(stored)}`)
}
