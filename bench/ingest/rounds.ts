import path from 'node:path'
import { median, print, ratio, table, whole } from '../figures.ts'
import { mark, type AlertBody } from '../payload.ts'
import { runHelper, startHelper, type Helper } from '../process/own-process.ts'
import {
  askDatabase,
  connectionOf,
  createHome,
  freePort,
  startProduct,
  type Product
} from '../process/product.ts'
import { printTopCosts } from '../process/profile.ts'
import { processorMs } from '../process/tree.ts'
import { untilAccepted } from './first-answer.ts'
import type { InsertInput } from './insert-loop.ts'
import type { LoadInput, LoadResult } from './post-load.ts'
import type { Variant } from './variants.ts'

export interface RoundOptions {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly inserters: number
  readonly profile?: string | undefined
}
type Slot = 'echo' | 'ingest' | 'inserts'
/** Processor time in µs for one answer, of the process that answers and of PostgreSQL. */
interface Measured extends LoadResult {
  readonly nodeCost: number
  readonly postgresCost: number
}
type Round = Record<Slot, Measured>
export interface Rounds {
  readonly variant: string
  readonly title: string
  readonly rounds: readonly Round[]
  readonly acknowledged: number
  readonly stored: number
  readonly exact: boolean
}

const slots: readonly Slot[] = ['echo', 'ingest', 'inserts']

/** Starts one variant and measures it in turn with both baselines, the order moving on each round. */
export async function measureRounds(
  variant: Variant,
  body: AlertBody,
  options: RoundOptions
): Promise<Rounds> {
  const { home, remove } = await createHome()
  const echo = await startHelper<{ url: string }>('bench/ingest/echo-server.ts', [])
  const profile =
    options.profile === undefined
      ? undefined
      : path.resolve(options.profile, `ingest-${variant.id}.cpuprofile`)
  const product = startProduct({ home, port: await freePort(), env: variant.env, profile })
  await untilAccepted(product, body.of('start'))
  const measure = createSlots(product, echo, home, body, options)
  for (const slot of slots) await measure(slot, 'warm', 1)
  const rounds: Round[] = []
  for (let n = 0; n < options.rounds; n++) {
    const found: Partial<Round> = {}
    for (const index of slots.keys()) {
      const slot = slots[(index + n) % slots.length]!
      found[slot] = await measure(slot, `r${n}`, options.seconds)
    }
    rounds.push(found as Round)
  }
  const counted = await countStored(home)
  await echo.stop()
  await (profile === undefined ? product.kill() : product.stop())
  await remove()
  if (profile !== undefined) printTopCosts(profile)
  const acknowledged = rounds.reduce((sum, round) => sum + (round.ingest.statuses['202'] ?? 0), 0)
  const failures = rounds.some(round => slots.some(slot => problemsOf(round[slot]) !== ''))
  return {
    variant: variant.id,
    title: variant.title,
    rounds,
    acknowledged,
    stored: counted,
    exact: acknowledged === counted && !failures
  }
}

/** Whatever is not measured stands still: the server is frozen while a baseline runs. */
function createSlots(
  product: Product,
  echo: Helper<{ url: string }>,
  home: string,
  body: AlertBody,
  { connections, inserters }: RoundOptions
) {
  const post = (url: string, at: string, text: string, seconds: number): Promise<LoadResult> =>
    runHelper<LoadResult>('bench/ingest/post-load.ts', {
      url,
      path: at,
      body: text,
      mark,
      connections,
      seconds
    } satisfies LoadInput)
  const run: Record<Slot, (text: string, round: string, seconds: number) => Promise<LoadResult>> = {
    echo: (text, _, seconds) => post(echo.said.url, '/', text, seconds),
    ingest: (text, _, seconds) => post(product.url, '/v1/webhooks/receive', text, seconds),
    inserts: (text, round, seconds) =>
      runHelper<LoadResult>('bench/ingest/insert-loop.ts', {
        connection: connectionOf(home),
        body: text,
        mark,
        clients: inserters,
        seconds,
        round
      } satisfies InsertInput)
  }
  const used = (): { node: number; postgres: number; echo: number } => ({
    ...product.processor(),
    echo: processorMs([echo.pid])
  })
  return async (slot: Slot, round: string, seconds: number): Promise<Measured> => {
    if (slot !== 'ingest') product.pause()
    try {
      const before = used()
      const result = await run[slot](body.of(`bench-${round}-${mark}`), round, seconds)
      const after = used()
      const cost = (part: keyof typeof after): number =>
        (1000 * (after[part] - before[part])) / result.sent
      return {
        ...result,
        nodeCost: cost(slot === 'echo' ? 'echo' : 'node'),
        postgresCost: cost('postgres')
      }
    } finally {
      product.resume()
    }
  }
}

/** Rows of the measured rounds; a key that came twice counts once, so a duplicate cannot hide a loss. */
async function countStored(home: string): Promise<number> {
  const [row] = await askDatabase<{ stored: string }>(
    home,
    `select count(distinct convert_from(raw, 'UTF8')::json->>'alert_cycle_key') as stored
    from webhooks_bodies
    where convert_from(raw, 'UTF8')::json->>'alert_cycle_key' like 'bench-r%'`
  )
  return Number(row?.stored)
}

const problemsOf = ({ statuses, lost }: LoadResult): string =>
  [
    ...Object.entries(statuses)
      .filter(([status]) => !['202', 'inserted'].includes(status))
      .map(([status, count]) => `${count} × ${status}`),
    ...(lost > 0 ? [`${lost} lost`] : [])
  ].join(', ')

const columns = [
  '',
  'Koa echo/s',
  'durable acks/s',
  'single inserts/s',
  'acks/echo',
  'acks/inserts',
  'p50 ms',
  'p99 ms',
  'errors'
]

export function printRounds({ title, rounds, acknowledged, stored, exact }: Rounds): void {
  const shareOf = (slot: Slot): number =>
    median(rounds.map(round => round.ingest.perSecond / round[slot].perSecond))
  const rows = rounds.map((round, n) => [
    `round ${n + 1}`,
    ...slots.map(slot => whole(round[slot].perSecond)),
    ratio(round.ingest.perSecond / round.echo.perSecond),
    ratio(round.ingest.perSecond / round.inserts.perSecond),
    round.ingest.p50.toFixed(1),
    round.ingest.p99.toFixed(1),
    slots
      .map(slot => problemsOf(round[slot]))
      .filter(Boolean)
      .join('; ') || 'none'
  ])
  const middle = [
    'median',
    ...slots.map(slot => whole(median(rounds.map(round => round[slot].perSecond)))),
    ratio(shareOf('echo')),
    ratio(shareOf('inserts')),
    median(rounds.map(round => round.ingest.p50)).toFixed(1),
    median(rounds.map(round => round.ingest.p99)).toFixed(1),
    ''
  ]
  print(`\n${title}\n${table(columns, [...rows, middle])}`)
  const cost = (slot: Slot, part: 'nodeCost' | 'postgresCost'): string =>
    `${whole(median(rounds.map(round => round[slot][part])))} µs`
  print(
    `processor time for one: echo ${cost('echo', 'nodeCost')}; ` +
      `ack ${cost('ingest', 'nodeCost')} in node and ${cost('ingest', 'postgresCost')} in PostgreSQL; ` +
      `single insert ${cost('inserts', 'postgresCost')} in PostgreSQL`
  )
  print(
    `acknowledged ${whole(acknowledged)}, in the database ${whole(stored)}: ` +
      (exact ? 'exactly the same' : 'NOT THE SAME, or there were errors')
  )
}
