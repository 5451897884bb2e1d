import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection, requestOf, type Answer } from '../datacat/connection.ts'
import type { Json } from '../datacat/serial-merge.ts'
import { createRandom } from '../kill/random.ts'
import { createLedger, kinds, type Item, type Kind, type SessionLedger } from './ledger.ts'

export interface SenderOptions {
  readonly url: string
  readonly seed: number
  /** Settles while the server takes requests. */
  opened(): Promise<void>
  isStopping(): boolean
}

/** One connection's work: mixed requests into a few sessions of its own, one request at a time. */
export interface Sender {
  readonly ledgers: readonly SessionLedger[]
  readonly counts: Readonly<
    Record<'requests' | 'repeated' | 'duplicates' | 'unanswered' | 'abandoned', number>
  >
  run(): Promise<void>
}

const liveSessions = 4
const patienceMs = 120_000

export function createSender({ url, seed, opened, isStopping }: SenderOptions): Sender {
  const random = createRandom(seed)
  const connection = createConnection(url, { limitMs: 30_000 })
  const ledgers: SessionLedger[] = []
  const counts = { requests: 0, repeated: 0, duplicates: 0, unanswered: 0, abandoned: 0 }
  const pick = (count: number): number => Math.floor(random() * count)

  /** The answer, or undefined when it may have been done or not. */
  async function attempt(path: string, body: Json | undefined): Promise<Answer | undefined> {
    counts.requests += 1
    const answer = await connection
      .ask(requestOf(url, 'POST', path, body === undefined ? undefined : JSON.stringify(body)))
      .catch(() => undefined)
    if (answer && answer.status < 300) return answer
    if (answer && answer.status < 500 && answer.status !== 429)
      throw new Error(`${path} was refused with ${answer.status}: ${answer.text.slice(0, 300)}`)
    counts.unanswered += 1
    return undefined
  }

  /** For requests that may be repeated: until they are answered. */
  async function insist(path: string, body: Json): Promise<Answer> {
    const until = performance.now() + patienceMs
    for (let wait = 20; performance.now() < until; wait = Math.min(wait * 1.5, 250)) {
      const answer = await attempt(path, body)
      if (answer) return answer
      counts.repeated += 1
      await sleep(wait)
    }
    throw new Error(`${path} was not acknowledged within ${patienceMs / 1000} s`)
  }

  /**
   * Sends and hangs up within a few ms, as a client whose patience ends: the request may go on
   * beside its own repetition.
   */
  async function abandon(path: string, body: Json): Promise<void> {
    const asked = attempt(path, body)
    await Promise.race([asked, sleep(pick(12))])
    connection.close()
    await asked
    counts.abandoned += 1
  }

  async function create(): Promise<void> {
    if (pick(4) > 0) {
      const ledger = createLedger()
      await insist('/v1/datacat/sessions', { id: ledger.id, product: 'bench', version: '1.0.0' })
      ledgers.push(ledger)
    } else {
      const answer = await attempt('/api/sessions', undefined)
      if (answer)
        ledgers.push(createLedger((JSON.parse(answer.text) as { session_id: string }).session_id))
    }
  }

  async function sendOne(ledger: SessionLedger, kind: Kind): Promise<void> {
    const item = ledger.add(kind, kind === 'state' ? counter => patchOf(counter, pick) : undefined)
    const answer = await attempt(
      `/api/sessions/${ledger.id}/${kind}${kind === 'state' ? '' : 's'}`,
      bodyOf(item)
    )
    if (answer) item.fate = 'acknowledged'
    else await opened()
  }

  async function sendBatch(ledger: SessionLedger): Promise<void> {
    const items = Array.from({ length: 1 + pick(40) }, () => {
      const kind = kinds[pick(kinds.length)]!
      return ledger.add(kind, kind === 'state' ? counter => patchOf(counter, pick) : undefined)
    })
    const of = (kind: Kind): Json[] =>
      items
        .filter(item => item.kind === kind)
        .map(item => (kind === 'state' ? { state: item.patch } : bodyOf(item)))
    const path = `/v1/datacat/sessions/${ledger.id}/batch`
    const body: Json = {
      key: `batch-${items[0]?.counter ?? 0}`,
      states: of('state'),
      events: of('event'),
      metrics: of('metric')
    }
    if (pick(20) === 0) await abandon(path, body)
    const answer = await insist(path, body)
    if ((JSON.parse(answer.text) as { duplicate: boolean }).duplicate) counts.duplicates += 1
    for (const item of items) item.fate = 'acknowledged'
  }

  return {
    ledgers,
    counts,
    async run() {
      while (!isStopping()) {
        const ledger = ledgers.at(-1 - pick(liveSessions))
        if (!ledger || pick(200) === 0) await create()
        else if (pick(4) === 0) await sendBatch(ledger)
        else await sendOne(ledger, kinds[pick(kinds.length)]!)
      }
      connection.close()
    }
  }
}

const bodyOf = (item: Item): Json =>
  item.kind === 'state'
    ? item.patch
    : item.kind === 'event'
      ? { name: 'step', data: { counter: item.counter } }
      : { name: `metric_${item.counter % 40}`, value: item.counter, tags: ['bench'] }

/** `last` tells which patch it is; the rest touches few keys in every way a merge knows. */
function patchOf(counter: number, pick: (count: number) => number): Json {
  const values: Json[] = [
    counter,
    null,
    [counter, { inner: counter }],
    { deep: { [`d${pick(3)}`]: counter } },
    { deep: { list: [counter] }, flat: null },
    `text ${counter}`,
    {}
  ]
  return { last: counter, [`k${pick(6)}`]: values[pick(values.length)]! }
}
