import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatacatClient, type DatacatClient, type Session } from 'rayne/datacat'

export const [url = 'http://127.0.0.1:8080', offlineDir = ''] = [
  process.env['DATACAT_URL'],
  process.env['DATACAT_OFFLINE']
]
export const tell = (line: object): void => console.log(JSON.stringify(line))
export const answers = createInterface({ input: process.stdin })
/** Asks whoever runs this to kill or start the server, and waits until it is done. */
export async function please(what: 'stop' | 'start'): Promise<void> {
  const answered = once(answers, 'line')
  tell({ please: what })
  await answered
}

export const calls = new Set<string>()
/** The same object; remembers which of its functions were called. */
export const watched = <T extends object>(kind: string, object: T): T =>
  new Proxy(object, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      return typeof value !== 'function'
        ? value
        : (...given: unknown[]): unknown => {
            calls.add(`${kind}.${String(name)}`)
            return Reflect.apply(value, target, given)
          }
    }
  })
export const open = (
  options: { buffered?: boolean; offlineDir?: string; retries?: number } = {}
): DatacatClient =>
  watched(
    'client',
    createDatacatClient({
      url,
      product: 'shop',
      version: '2.1.0',
      machineId: 'till-7',
      hostname: 'till-7.shop.example',
      ...options
    })
  )
export const create = async (
  client: DatacatClient,
  options: Parameters<DatacatClient['createSession']>[0] = {}
): Promise<Session> => watched('session', await client.createSession(options))

export async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await ask()); await sleep(100))
    assert.ok(Date.now() < end, `${what} did not happen within 30 s`)
}
export const seconds = (count: number): AbortSignal => AbortSignal.timeout(count * 1000)
