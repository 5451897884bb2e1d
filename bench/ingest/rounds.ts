import { mark, type AlertBody } from '../payload.ts'
import { runHelper, startHelper, type Helper } from '../process/own-process.ts'
import { connectionOf } from '../process/product.ts'
import { processorMs } from '../process/tree.ts'
import type { InsertInput } from './insert-loop.ts'
import type { LoadInput, LoadResult } from './post-load.ts'
import { transactionsOf, type Server } from './servers.ts'

export interface RoundOptions {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly inserters: number
}
/** What one answer costs: µs of processor time in the process that answers and in PostgreSQL, and transactions. */
export interface Measured extends LoadResult {
  readonly nodeCost: number
  readonly postgresCost: number
  readonly transactions: number
}
/** One round: both baselines and each variant, by name. */
export type Round = ReadonlyMap<string, Measured>

type Measure = (round: string, seconds: number) => Promise<Measured>

/** Measures every variant in turn with both baselines, the order moving on each round. */
export async function measureRounds(
  servers: readonly Server[],
  body: AlertBody,
  options: RoundOptions
): Promise<readonly Round[]> {
  const echo = await startHelper<{ url: string }>('bench/ingest/echo-server.ts', [])
  for (const { product } of servers) product.pause()
  const slots = createSlots(servers, echo, body, options)
  for (const [, measure] of slots) await measure('warm', 1)
  const rounds: Round[] = []
  for (let n = 0; n < options.rounds; n++) {
    const found = new Map<string, Measured>()
    const turn = n % slots.length
    for (const [name, measure] of [...slots.slice(turn), ...slots.slice(0, turn)])
      found.set(name, await measure(`r${n}`, options.seconds))
    rounds.push(found)
  }
  await echo.stop()
  for (const { product } of servers) product.resume()
  return rounds
}

/** Whatever is not measured stands still. */
function createSlots(
  servers: readonly Server[],
  echo: Helper<{ url: string }>,
  body: AlertBody,
  { connections, inserters }: RoundOptions
): readonly (readonly [string, Measure])[] {
  const first = servers[0]
  if (!first) throw new Error('no variant was chosen')
  const textOf = (round: string): string => body.of(`bench-${round}-${mark}`)
  const post = (url: string, path: string, round: string, seconds: number) =>
    runHelper<LoadResult>('bench/ingest/post-load.ts', {
      url,
      path,
      body: textOf(round),
      mark,
      connections,
      seconds
    } satisfies LoadInput)
  const insert = (round: string, seconds: number) =>
    runHelper<LoadResult>('bench/ingest/insert-loop.ts', {
      connection: connectionOf(first.home),
      body: textOf(round),
      mark,
      clients: inserters,
      seconds,
      round
    } satisfies InsertInput)
  const echoed: Measure = (round, seconds) =>
    measured(
      () => ({ node: processorMs([echo.pid]), postgres: 0 }),
      () => post(echo.said.url, '/', round, seconds)
    )
  const inserted: Measure = (round, seconds) =>
    measured(
      () => ({ node: 0, postgres: first.product.processor().postgres }),
      () => insert(round, seconds),
      first.home
    )
  const acknowledged = ({ product, home }: Server): Measure => {
    const run = (round: string, seconds: number): Promise<LoadResult> =>
      post(product.url, '/v1/webhooks/receive', round, seconds)
    return async (round, seconds) => {
      product.resume()
      return measured(
        () => product.processor(),
        () => run(round, seconds),
        home
      ).finally(product.pause)
    }
  }
  return [
    ['echo', echoed],
    ['inserts', inserted],
    ...servers.map(server => [server.variant.id, acknowledged(server)] as const)
  ]
}

/** Runs a load and sets what was used meanwhile against its answers. */
async function measured(
  used: () => { readonly node: number; readonly postgres: number },
  run: () => Promise<LoadResult>,
  home?: string
): Promise<Measured> {
  const begun = home === undefined ? 0 : await transactionsOf(home)
  const before = used()
  const result = await run()
  const after = used()
  const ended = home === undefined ? 0 : await transactionsOf(home)
  return {
    ...result,
    nodeCost: (1000 * (after.node - before.node)) / result.sent,
    postgresCost: (1000 * (after.postgres - before.postgres)) / result.sent,
    transactions: (ended - begun) / result.sent
  }
}

/** What went wrong in a load, in words; empty when nothing did. */
export const problemsOf = ({ statuses, lost }: LoadResult): string =>
  [
    ...Object.entries(statuses)
      .filter(([status]) => !['202', 'inserted'].includes(status))
      .map(([status, count]) => `${count} × ${status}`),
    ...(lost > 0 ? [`${lost} lost`] : [])
  ].join(', ')
