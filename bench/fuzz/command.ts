import type { Command } from 'commander'
import * as fc from 'fast-check'
import { Agent, request } from 'node:http'
import { fixtures } from '../../plugins/webhooks/test/fixture.ts'
import { mutant, type Mutant } from '../../plugins/webhooks/test/mutants.ts'
import { machine, print, whole, writeJson } from '../figures.ts'
import { untilAccepted } from '../ingest/first-answer.ts'
import { askDatabase, createHome, freePort, startProduct } from '../process/product.ts'

interface FuzzOptions {
  readonly bodies: string
  readonly connections: string
  readonly seed?: string
  readonly json?: string
}

/** What one run of posts came to. */
interface Tally {
  readonly statuses: Record<string, number>
  /** The first bodies that were neither 200 nor 202, in base64 with their headers. */
  readonly refused: { status: string; body: string; headers: Mutant['headers'] }[]
}

const sampleSize = 2_000
const keptRefusals = 5
const answerTimeoutMs = 60_000
const reportEveryMs = 30_000

/** Adds `bench fuzz`. */
export function fuzzCommand(program: Command): void {
  program
    .command('fuzz')
    .description(
      'posts mutated bodies of every sender to a real server: every answer must be 200 or 202, ' +
        'and every 202 a stored event'
    )
    .option('--bodies <n>', 'how many', '1000000')
    .option('--connections <n>', 'posts under way at once', '16')
    .option('--seed <n>', 'of the mutations; printed')
    .option('--json <file>', 'write every figure to a file')
    .action((options: FuzzOptions) => run(options))
}

async function run(options: FuzzOptions): Promise<void> {
  const bodies = Number(options.bodies)
  const seed = Number(options.seed ?? Date.now() % 1_000_000)
  print(`${machine()}; ${whole(bodies)} bodies, seed ${seed}`)
  const { home, remove } = await createHome()
  const product = startProduct({
    home,
    port: await freePort(),
    env: { NODE_ENV: 'production', RAYNE_PLUGINS: 'webhooks' }
  })
  await untilAccepted(product, '{}')
  const count = 'select count(*)::int as stored from webhooks_events'
  const [before] = await askDatabase<{ stored: number }>(home, count)
  const begun = performance.now()
  const tally = await postAll(product.url, bodies, seed, Number(options.connections))
  const [after] = await askDatabase<{ stored: number }>(home, count)
  await product.stop()
  await remove()
  const stored = (after?.stored ?? 0) - (before?.stored ?? 0)
  report({ ...tally, stored, bodies, seconds: (performance.now() - begun) / 1000 }, options.json)
}

function report(
  result: Tally & { stored: number; bodies: number; seconds: number },
  json: string | undefined
): void {
  const { statuses, stored, bodies, seconds, refused } = result
  const accepted = statuses['202'] ?? 0
  const others = bodies - accepted - (statuses['200'] ?? 0)
  print(`answers           ${JSON.stringify(statuses)}`)
  print(`neither 200 nor 202  ${whole(others)}`)
  print(`202 and stored    ${whole(accepted)} and ${whole(stored)}`)
  print(`${whole(seconds)} s, ${whole(bodies / seconds)} a second`)
  for (const one of refused) print(JSON.stringify(one))
  writeJson(json, result)
  if (others > 0 || stored < accepted) process.exitCode = 1
}

async function postAll(
  url: string,
  bodies: number,
  seed: number,
  connections: number
): Promise<Tally> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const tally: Tally = { statuses: {}, refused: [] }
  const next = mutants(bodies, seed)
  let told = performance.now()
  let sent = 0
  const send = async (): Promise<void> => {
    for (let one = next(); one; one = next()) {
      note(tally, one, await post(agent, url, one))
      sent += 1
      if (performance.now() - told > reportEveryMs) {
        told = performance.now()
        print(`${whole(sent)} of ${whole(bodies)} ${JSON.stringify(tally.statuses)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, send))
  agent.destroy()
  return tally
}

function note(tally: Tally, { raw, headers }: Mutant, status: string): void {
  tally.statuses[status] = (tally.statuses[status] ?? 0) + 1
  if (status !== '200' && status !== '202' && tally.refused.length < keptRefusals)
    tally.refused.push({ status, body: raw.toString('base64'), headers })
}

/** The same bodies for the same seed, a sample at a time; the axis of sizes has its own test. */
function mutants(bodies: number, seed: number): () => Mutant | undefined {
  const body = mutant(fixtures.filter(({ axis }) => axis !== 'size'))
  let sample: Mutant[] = []
  let made = 0
  return () => {
    if (made === bodies) return undefined
    if (sample.length === 0)
      sample = fc.sample(body, { seed: seed + made, numRuns: sampleSize }).reverse()
    made += 1
    return sample.pop()
  }
}

/** The status of the answer, or the failure that came in its place. */
const post = (agent: Agent, url: string, { raw, headers }: Mutant): Promise<string> =>
  new Promise(resolve => {
    const sent = request(
      `${url}/v1/webhooks/receive`,
      { method: 'POST', agent, headers: { ...present(headers), 'content-length': raw.length } },
      answer => {
        answer.resume().once('end', () => resolve(String(answer.statusCode)))
      }
    )
    sent.setTimeout(answerTimeoutMs, () => sent.destroy(new Error('no answer within 60 s')))
    sent.once('error', error => resolve(error.message))
    sent.end(raw)
  })

const present = (headers: Mutant['headers']): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
