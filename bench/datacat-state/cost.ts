import { callJson, createConnection, requestOf, type Connection } from '../datacat/connection.ts'
import { median, print, quantile, ratio, table } from '../figures.ts'

/** Milliseconds of patches of one key, by the size of the state they go into. */
export interface PatchCost {
  readonly label: string
  readonly bytes: number
  readonly patchMs: readonly number[]
}

const sizes = [
  ['1 KB', 1_024],
  ['10 KB', 10_240],
  ['100 KB', 102_400],
  ['1 MB', 1_000_000]
] as const
const keyOf = (n: number): string => `key${String(n).padStart(6, '0')}`
const bytesOfKey = 64

/** Sends patches to states of four sizes in turn, so that all of them see the same machine. */
export async function measurePatchCost(url: string, patches: number): Promise<PatchCost[]> {
  const states = await Promise.all(
    sizes.map(async ([label, bytes]) => {
      const keys = Math.floor(bytes / bytesOfKey)
      const session = await createState(url, keys)
      return {
        label,
        bytes,
        keys,
        session,
        connection: createConnection(url),
        patchMs: [] as number[]
      }
    })
  )
  for (let n = -20; n < patches; n++)
    for (const { session, keys, connection, patchMs } of states) {
      const ms = await patchOne(url, connection, session, keyOf((n + 20) % keys), n)
      if (n >= 0) patchMs.push(ms)
    }
  for (const { connection } of states) connection.close()
  return states.map(({ label, bytes, patchMs }) => ({ label, bytes, patchMs }))
}

async function createState(url: string, keys: number): Promise<string> {
  const { session_id: session } = await callJson<{ session_id: string }>(
    url,
    'POST',
    '/api/sessions'
  )
  const value = 'x'.repeat(bytesOfKey - 15)
  for (let from = 0; from < keys; from += 5_000) {
    const names = Array.from({ length: Math.min(5_000, keys - from) }, (_, n) => keyOf(from + n))
    const state = Object.fromEntries(names.map(name => [name, value]))
    await callJson(url, 'POST', `/api/sessions/${session}/state`, state)
  }
  return session
}

async function patchOne(
  url: string,
  connection: Connection,
  session: string,
  key: string,
  n: number
): Promise<number> {
  const body = JSON.stringify({ [key]: n })
  const asked = performance.now()
  const { status, text } = await connection.ask(
    requestOf(url, 'POST', `/api/sessions/${session}/state`, body)
  )
  if (status !== 200) throw new Error(`a patch was answered ${status}: ${text.slice(0, 200)}`)
  return performance.now() - asked
}

/** The cost at each size as a ratio to that of the smallest state. */
export function printPatchCost(costs: readonly PatchCost[]): void {
  const [first] = costs
  const row = ({ label, patchMs }: PatchCost): string[] => {
    const [p50, p99] = [median(patchMs), quantile(patchMs, 0.99)]
    const mean = meanOf(patchMs)
    const base = first?.patchMs ?? []
    return [
      label,
      p50.toFixed(2),
      mean.toFixed(2),
      p99.toFixed(2),
      ratio(p50 / median(base)),
      ratio(mean / meanOf(base)),
      ratio(p99 / quantile(base, 0.99))
    ]
  }
  print(
    table(
      ['state', 'p50 ms', 'mean ms', 'p99 ms', 'p50 / 1 KB', 'mean / 1 KB', 'p99 / 1 KB'],
      costs.map(row)
    )
  )
}

const meanOf = (figures: readonly number[]): number =>
  figures.reduce((sum, figure) => sum + figure, 0) / figures.length
