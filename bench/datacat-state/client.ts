import { createConnection, requestOf, type Connection } from '../datacat/connection.ts'
import { canonical, merged, type Json } from '../datacat/serial-merge.ts'
import { createRandom } from '../kill/random.ts'

/** One acknowledged write to a key all clients share; times are from one clock, in ms. */
export interface SharedWrite {
  readonly key: string
  readonly value: string
  readonly asked: number
  readonly answered: number
}

/** What one client did, and what it should find at the end. */
export interface StateClient {
  readonly name: string
  /** The serial merge of its patches below its own key. */
  readonly own: Json
  readonly shared: readonly SharedWrite[]
  readonly patchMs: readonly number[]
  readonly readMs: readonly number[]
  readonly errors: readonly string[]
  readonly stale: readonly string[]
  run(until: number): Promise<void>
}

export const sharedKeys = ['shared', 'a.b', '', 'constructor', '__proto__']
/** Own keys: the ordinary ones, and those a careless merge takes for something else. */
const ownKeys = [
  'plain',
  'a.b',
  'a',
  '__proto__',
  'constructor',
  'toString',
  '',
  'ünï "quoted" \\ /',
  '0'
]

/** A computed `__proto__` is a key like any other; a literal one would be the prototype. */
const objectOf = (...entries: readonly (readonly [string, Json])[]): Json =>
  Object.fromEntries(entries)

export function createStateClient(
  url: string,
  session: string,
  index: number,
  seed: number
): StateClient {
  const random = createRandom(seed * 1_000 + index)
  const pick = (count: number): number => Math.floor(random() * count)
  const name = `client-${index}`
  const shared: SharedWrite[] = []
  const patchMs: number[] = []
  const readMs: number[] = []
  const errors: string[] = []
  const stale: string[] = []
  let own: Json | undefined
  let count = 0

  function valueOf(depth: number): Json {
    const kinds: (() => Json)[] = [
      () => count,
      () => count / 8,
      () => null,
      () => `text ${count} <&>\u2028`,
      () => count % 2 === 0,
      () => [count, null, objectOf(['__proto__', count], ['in', [count]])],
      () => objectOf(),
      () => []
    ]
    return depth > 0 && pick(2) === 0
      ? objectOf(
          [ownKeys[pick(ownKeys.length)]!, valueOf(depth - 1)],
          [ownKeys[pick(ownKeys.length)]!, valueOf(depth - 1)]
        )
      : kinds[pick(kinds.length)]!()
  }

  async function patch(connection: Connection): Promise<void> {
    count += 1
    const mine = objectOf(['count', count], [ownKeys[pick(ownKeys.length)]!, valueOf(3)])
    const key = sharedKeys[pick(sharedKeys.length)]!
    const value = `${name} ${count}`
    const body = JSON.stringify(
      pick(4) === 0 ? objectOf([name, mine], [key, value]) : objectOf([name, mine])
    )
    const asked = performance.now()
    const { status, text } = await connection.ask(
      requestOf(url, 'POST', `/api/sessions/${session}/state`, body)
    )
    const answered = performance.now()
    patchMs.push(answered - asked)
    if (status !== 200) {
      errors.push(`${status} to a patch: ${text.slice(0, 200)}`)
      return
    }
    own = merged(own, mine)
    if (body.includes(value)) shared.push({ key, value, asked, answered })
  }

  async function readBack(connection: Connection): Promise<void> {
    const asked = performance.now()
    const { status, text } = await connection.ask(requestOf(url, 'GET', `/api/sessions/${session}`))
    readMs.push(performance.now() - asked)
    if (status !== 200) {
      errors.push(`${status} to a read: ${text.slice(0, 200)}`)
      return
    }
    const { state } = JSON.parse(text) as { state: Readonly<Record<string, Json>> }
    if (canonical(state[name]) !== canonical(own)) stale.push(`${name} after patch ${count}`)
  }

  return {
    name,
    shared,
    patchMs,
    readMs,
    errors,
    stale,
    get own() {
      return own ?? null
    },
    async run(until) {
      const connection = createConnection(url)
      while (performance.now() < until) {
        await patch(connection)
          .then(() => readBack(connection))
          .catch((error: unknown) => {
            errors.push(error instanceof Error ? error.message : String(error))
          })
      }
      connection.close()
    }
  }
}
