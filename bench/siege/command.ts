import type { Command } from 'commander'
import { machine, median, print, ratio, table, whole, writeJson } from '../figures.ts'
import type { LoadInput, LoadResult } from '../ingest/post-load.ts'
import { createAlertBody, mark, type AlertBody } from '../payload.ts'
import { runHelper } from '../process/own-process.ts'
import type { FloodInput, FloodResult } from './flood.ts'
import { floodsOf, type Held } from './floods.ts'
import { startProtected, type ProtectedServer } from './protected-server.ts'

interface SiegeOptions {
  readonly seconds: string
  readonly rounds: string
  readonly rate: string
  readonly json?: string
}
/** One part of a round: what the webhooks saw, and how the server was. */
interface Part {
  readonly load: LoadResult
  readonly lagMs: number
  readonly memory: number
  readonly floods: FloodResult
}

const senders = 40
const connections = 40

/** Adds `bench siege`. */
export function siegeCommand(program: Command): void {
  program
    .command('siege')
    .description(
      'webhooks at half their most, with and without floods of everything at ten times its limit'
    )
    .option('--seconds <s>', 'of each part', '12')
    .option('--rounds <n>', 'each a part without and one with the floods', '4')
    .option('--rate <n>', "requests a second of one sender's token", '100')
    .option('--json <file>', 'write every figure to a file')
    .action((options: SiegeOptions) => run(options))
}

async function run(options: SiegeOptions): Promise<void> {
  const [seconds, rounds, rate] = [options.seconds, options.rounds, options.rate].map(Number)
  if (!seconds || !rounds || !rate)
    throw new Error('--seconds, --rounds and --rate are numbers above 0')
  print(`${machine()}; ${rounds} rounds of ${seconds} s without and ${seconds} s with the floods`)
  const server = await startProtected(rate)
  try {
    const body = await createAlertBody()
    const tokens: string[] = []
    for (let n = 0; n < senders; n++) tokens.push(await server.token('webhooks'))
    const held = await holdings(server, rate)
    const most = await mostOf(server, body, tokens)
    // What the tokens may send in all is a limit of its own.
    const perSecond = Math.min(most / 2, senders * rate * 0.9)
    print(`webhooks at ${whole(perSecond)}/s; the most was ${whole(most)}/s`)
    const parts: { quiet: Part; siege: Part }[] = []
    for (let round = 0; round < rounds; round++) {
      const part = (name: string, isSiege: boolean): Promise<Part> =>
        measure(
          server,
          { body: body.of(`${name}-${round}-${mark}`), tokens, perSecond, seconds },
          isSiege ? held : undefined
        )
      const quiet = await part('quiet', false)
      parts.push({ quiet, siege: await part('siege', true) })
    }
    report(parts, options.json)
  } finally {
    await server.end()
  }
}

/** What the attackers have: tokens of their own, and a session to patch. */
async function holdings({ product, token }: ProtectedServer, rate: number): Promise<Held> {
  const [sender, reader] = [await token('ingest'), await token('read')]
  const answer = await fetch(`${product.url}/v1/datacat/sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sender}`, 'content-type': 'application/json' },
    body: JSON.stringify({ product: 'siege' })
  })
  const { session_id: session } = (await answer.json()) as { session_id?: string }
  if (session === undefined) throw new Error(`no session was opened: ${answer.status}`)
  return { host: new URL(product.url).host, sender, reader, session, rate }
}

/** The most webhooks a second, each connection asking when it has its answer. */
async function mostOf(
  { product }: ProtectedServer,
  body: AlertBody,
  tokens: readonly string[]
): Promise<number> {
  const input: LoadInput = {
    url: product.url,
    path: '/v1/webhooks/receive',
    body: body.of(`most-${mark}`),
    mark,
    connections,
    tokens,
    seconds: 6
  }
  const { sent, statuses } = await runHelper<LoadResult>('bench/ingest/post-load.ts', input)
  if (!statuses['202']) throw new Error(`no webhook was taken: ${JSON.stringify(statuses)}`)
  return sent / 6
}

async function measure(
  { product, loopLag }: ProtectedServer,
  given: Pick<LoadInput, 'body' | 'tokens' | 'perSecond' | 'seconds'>,
  held: Held | undefined
): Promise<Part> {
  await loopLag()
  const { seconds } = given
  const input: FloodInput = { url: product.url, seconds, mark, floods: held ? floodsOf(held) : [] }
  const flooding = runHelper<FloodResult>('bench/siege/flood.ts', input)
  const load = await runHelper<LoadResult>('bench/ingest/post-load.ts', {
    ...given,
    url: product.url,
    path: '/v1/webhooks/receive',
    mark,
    connections
  } satisfies LoadInput)
  const lagMs = await loopLag()
  return { load, lagMs, memory: product.memory().node.rss, floods: await flooding }
}

function report(parts: readonly { quiet: Part; siege: Part }[], json: string | undefined): void {
  const of = (name: 'quiet' | 'siege', read: (part: Part) => number): number =>
    median(parts.map(part => read(part[name])))
  const refusedOf = ({ load }: Part): number => load.sent - (load.statuses['202'] ?? 0)
  const rows = (['quiet', 'siege'] as const).map(name => [
    name === 'quiet' ? 'undisturbed' : 'under siege',
    whole(of(name, part => part.load.perSecond)),
    of(name, part => part.load.p50).toFixed(1),
    of(name, part => part.load.p99).toFixed(1),
    whole(parts.reduce((sum, part) => sum + refusedOf(part[name]), 0)),
    of(name, part => part.lagMs).toFixed(1),
    `${whole(of(name, part => part.memory) / 1_048_576)} MB`
  ])
  print(table(['webhooks', 'acks/s', 'p50 ms', 'p99 ms', 'refused', 'loop p99 ms', 'memory'], rows))
  const figures = {
    p99: median(parts.map(({ quiet, siege }) => siege.load.p99 / quiet.load.p99)),
    refused: parts.reduce((sum, { siege }) => sum + refusedOf(siege), 0),
    lagMs: of('siege', part => part.lagMs),
    memory: median(parts.map(({ quiet, siege }) => siege.memory / quiet.memory))
  }
  const wanted = [
    ['p99 against undisturbed', ratio(figures.p99), '≤ 1.5', figures.p99 <= 1.5],
    ['webhooks refused', whole(figures.refused), '0', figures.refused === 0],
    ['loop lag p99 ms', figures.lagMs.toFixed(1), '≤ 100', figures.lagMs <= 100],
    ['memory against undisturbed', ratio(figures.memory), '≤ 1.3', figures.memory <= 1.3]
  ] as const
  print(
    `\n${table(
      ['', 'measured', 'wanted', ''],
      wanted.map(([what, is, most, ok]) => [what, is, most, ok ? 'ok' : 'MISSED'])
    )}`
  )
  const answered = Object.entries(parts.at(-1)?.siege.floods ?? {})
  print('\nHow the floods of the last round were answered')
  for (const [name, statuses] of answered) print(`  ${name.padEnd(18)} ${JSON.stringify(statuses)}`)
  writeJson(json, { figures, parts })
}
