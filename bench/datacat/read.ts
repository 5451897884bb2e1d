import { median, megabytes, print, ratio, table, whole } from '../figures.ts'
import { startHelper } from '../process/own-process.ts'
import { createConnection, requestOf } from './connection.ts'
import { costed, costOf, loadRequests, problemsOf, type Costed } from './load.ts'
import { inTurn, type Bench, type PartResult } from './part.ts'
import type { RequestLoadResult } from './request-load.ts'
import { metricName } from './server.ts'

const metrics = 10_000
const connections = 4
const firstVersion = 234
const slots = ['reads', 'memory'] as const
type Slot = (typeof slots)[number]
interface Round extends Record<Slot, Costed<RequestLoadResult>> {
  readonly afterAppendMs: number
}

/** Reads a second of a whole session of 10,000 metrics, beside a server that has the same bytes ready. */
export async function measureRead({ server, setting }: Bench): Promise<PartResult> {
  const [session = ''] = await server.createSessions(1)
  await server.fill(session, metrics)
  const path = `/api/sessions/${session}`
  const body = await readWhole(server.url, path)
  const memory = await startHelper<{ url: string }>('bench/datacat/memory-server.ts', [], body)
  const run: Record<Slot, (seconds: number) => Promise<Costed<RequestLoadResult>>> = {
    reads: seconds =>
      costed(server, () =>
        loadRequests({ url: server.url, method: 'GET', paths: [path], connections, seconds })
      ),
    memory: seconds =>
      server.frozen(() =>
        costed(
          server,
          () =>
            loadRequests({
              url: memory.said.url,
              method: 'GET',
              paths: ['/'],
              connections,
              seconds
            }),
          memory.pid
        )
      )
  }
  for (const slot of slots) await run[slot](1)
  const rounds: Round[] = []
  for (let n = 0; n < setting.rounds; n++)
    rounds.push({
      ...(await inTurn(slots, n, slot => run[slot](setting.seconds))),
      afterAppendMs: await readAfterAppend(server.url, path)
    })
  await memory.stop()
  printRead(rounds, Buffer.byteLength(body))
  const problems = rounds
    .flatMap(round => slots.map(slot => problemsOf(round[slot])))
    .filter(Boolean)
  return {
    part: 'read',
    figures: { rounds, bytes: Buffer.byteLength(body) },
    limits: [
      {
        what: `reads/s of ${whole(metrics)} metrics (3 × ${firstVersion})`,
        measured: median(rounds.map(round => round.reads.perSecond)),
        relation: '≥',
        limit: 3 * firstVersion
      },
      { what: 'read: rounds with errors', measured: problems.length, relation: '=', limit: 0 }
    ]
  }
}

async function readWhole(url: string, path: string): Promise<string> {
  const connection = createConnection(url)
  const { status, text } = await connection.ask(requestOf(url, 'GET', path))
  connection.close()
  const found = status === 200 ? (JSON.parse(text) as { metrics: unknown[] }).metrics.length : 0
  if (found !== metrics)
    throw new Error(`the session of ${metrics} metrics answered ${status} with ${found} of them`)
  return text
}

/** Median ms of a read that comes right after one more metric, so that nothing prepared before can answer it whole. */
async function readAfterAppend(url: string, path: string): Promise<number> {
  const connection = createConnection(url, { keep: false })
  const samples: number[] = []
  for (let n = 0; n < 10; n++) {
    await connection.ask(
      requestOf(url, 'POST', `${path}/metrics`, JSON.stringify({ name: metricName, value: n }))
    )
    const asked = performance.now()
    await connection.ask(requestOf(url, 'GET', path))
    samples.push(performance.now() - asked)
  }
  connection.close()
  return median(samples)
}

function printRead(rounds: readonly Round[], bytes: number): void {
  print(
    `\nread: GET /api/sessions/{id} with ${whole(metrics)} metrics (${whole(bytes)} bytes) ` +
      `over ${connections} connections`
  )
  const line = (
    label: string,
    figure: (pick: (round: Round) => number) => number,
    problems: string
  ): string[] => [
    label,
    whole(figure(round => round.reads.perSecond)),
    whole(figure(round => round.memory.perSecond)),
    ratio(figure(round => round.reads.perSecond / round.memory.perSecond)),
    figure(round => round.reads.p50).toFixed(1),
    figure(round => round.reads.p99).toFixed(1),
    figure(round => round.afterAppendMs).toFixed(1),
    problems
  ]
  print(
    table(
      [
        '',
        'reads/s',
        'from memory/s',
        'reads/memory',
        'p50 ms',
        'p99 ms',
        'after an append, ms',
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
        line('median', pick => median(rounds.map(pick)), '')
      ]
    )
  )
  const cost = (slot: Slot): readonly Costed[] => rounds.map(round => round[slot])
  const bytesOfOne = median(rounds.map(({ reads }) => reads.bytes / Math.max(1, reads.sent)))
  print(
    `processor time for one: ${costOf(cost('reads'), 'nodeCost')} in node and ` +
      `${costOf(cost('reads'), 'postgresCost')} in PostgreSQL; from memory ` +
      `${costOf(cost('memory'), 'nodeCost')}; ` +
      `${megabytes(bytesOfOne * median(rounds.map(round => round.reads.perSecond)))} ` +
      'of answers a second'
  )
}
