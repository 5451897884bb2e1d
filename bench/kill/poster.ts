import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the sender knows of one alert. */
export interface Sent {
  readonly key: string
  eventId: number | undefined
  attempts: number
  duplicateAnswers: number
}

/** A sender that posts again after 5xx, time-outs and lost connections until each alert is acknowledged. */
export interface Poster {
  readonly sent: readonly Sent[]
  readonly acknowledged: number
  /** Posts that were cut off or refused with 5xx, and so sent again. */
  readonly failures: Readonly<Record<string, number>>
  /** Settles at the nth acknowledgement. */
  reached(count: number): Promise<void>
  done: Promise<void>
}

const patienceMs = 120_000
interface Outcome {
  readonly status: number | undefined
  readonly body: string
  readonly failure: string | undefined
}

export function createPoster({
  url,
  keys,
  bodyOf,
  concurrency
}: {
  url: string
  keys: readonly string[]
  bodyOf: (key: string) => string
  concurrency: number
}): Poster {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const sent: Sent[] = keys.map(key => ({
    key,
    eventId: undefined,
    attempts: 0,
    duplicateAnswers: 0
  }))
  const failures: Record<string, number> = {}
  const waiting: { count: number; resolve: () => void }[] = []
  let acknowledged = 0
  let next = 0

  function note(alert: Sent, { status, body }: Outcome): void {
    const answer = JSON.parse(body) as { event_id: number }
    alert.eventId = answer.event_id
    if (status === 200) alert.duplicateAnswers += 1
    acknowledged += 1
    for (const each of waiting) if (acknowledged >= each.count) each.resolve()
  }

  async function deliver(alert: Sent): Promise<void> {
    const givesUpAt = performance.now() + patienceMs
    for (let wait = 20; ; wait = Math.min(wait * 1.5, 250)) {
      alert.attempts += 1
      const outcome = await post(agent, `${url}/v1/webhooks/receive`, bodyOf(alert.key))
      if (outcome.status === 202 || outcome.status === 200) return note(alert, outcome)
      if (outcome.status !== undefined && outcome.status < 500)
        throw new Error(
          `alert ${alert.key} was refused with ${outcome.status}: ${outcome.body.slice(0, 300)}`
        )
      const reason = outcome.failure ?? String(outcome.status)
      failures[reason] = (failures[reason] ?? 0) + 1
      if (performance.now() > givesUpAt)
        throw new Error(
          `alert ${alert.key} was not acknowledged within ${patienceMs / 1000} s; last answer: ${reason}`
        )
      await sleep(wait)
    }
  }

  const drive = async (): Promise<void> => {
    for (let alert = sent[next++]; alert; alert = sent[next++]) await deliver(alert)
  }
  const done = Promise.all(Array.from({ length: concurrency }, drive)).then(() => agent.destroy())
  return {
    sent,
    failures,
    done,
    get acknowledged() {
      return acknowledged
    },
    reached: count =>
      acknowledged >= count
        ? Promise.resolve()
        : Promise.race([
            done,
            new Promise<void>(resolve => {
              waiting.push({ count, resolve })
            })
          ])
  }
}

function post(agent: Agent, url: string, body: string): Promise<Outcome> {
  return new Promise(resolve => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        timeout: 10_000,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      },
      answer => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        answer.once('end', () =>
          resolve({ status: answer.statusCode, body: text, failure: undefined })
        )
        answer.once('error', () =>
          resolve({ status: undefined, body: '', failure: 'answer cut off' })
        )
      }
    )
    sent.once('timeout', () => sent.destroy(new Error('timeout')))
    sent.once('error', error =>
      resolve({
        status: undefined,
        body: '',
        failure: (error as NodeJS.ErrnoException).code ?? error.message
      })
    )
    sent.end(body)
  })
}
