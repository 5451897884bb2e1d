import { connect } from 'node:net'
import { quantile } from '../figures.ts'
import { readInput, say } from '../process/own-process.ts'

/** `body` holds `mark` where each request writes its own number, in as many digits. */
export interface LoadInput {
  readonly url: string
  readonly path: string
  readonly body: string
  readonly mark: string
  readonly connections: number
  readonly seconds: number
  /** Requests due a second, over all connections; without it each connection asks when it has its answer. */
  readonly perSecond?: number
  /** Each connection carries one of them, in turn. */
  readonly tokens?: readonly string[]
}
export interface LoadResult {
  readonly sent: number
  readonly perSecond: number
  readonly statuses: Record<string, number>
  readonly lost: number
  readonly p50: number
  readonly p99: number
}

const input = await readInput<LoadInput>()
const { hostname, port, host } = new URL(input.url)
/** One request, to be sent many times; without tokens there is one for all connections. */
function requestOf(token: string | undefined): { template: Buffer; places: number[] } {
  const head = [
    `POST ${input.path} HTTP/1.1`,
    `host: ${host}`,
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(input.body)}\r\n\r\n`
  ].join('\r\n')
  const template = Buffer.from(head + input.body)
  return { template, places: placesOf(template, input.mark) }
}
const requests = (input.tokens ?? [undefined]).map(requestOf)
const statuses: Record<string, number> = {}
const latencies: number[] = []
let sent = 0
let lost = 0
let until = 0
let begun = 0
let turn = 0

function placesOf(bytes: Buffer, mark: string): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) found.push(at)
  return found
}

function nextRequest({ template, places }: (typeof requests)[number]): Buffer {
  const bytes = Buffer.from(template)
  const digits = String(sent++).padStart(input.mark.length, '0')
  for (const place of places) bytes.write(digits, place, 'latin1')
  return bytes
}

/**
 * The status of a whole answer, or undefined while bytes are missing; http.Agent would cost more than
 * the server it measures.
 */
function statusOf(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  return Buffer.byteLength(text) >= end + 4 + length ? text.slice(9, 12) : undefined
}

/** When the next request is due: at its own time, however late the answers before it came, or now. */
const nextDue = (): number =>
  input.perSecond === undefined ? performance.now() : begun + (1000 * turn++) / input.perSecond

function drive(_: unknown, nth: number): Promise<void> {
  const request = requests[nth % requests.length]
  if (!request) throw new Error('there is no request to send')
  return new Promise(resolve => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    let text = ''
    let asked = 0
    const ask = (): void => {
      asked = 0
      const due = nextDue()
      if (due >= until) {
        socket.end()
        return
      }
      const send = (): void => {
        asked = due
        socket.write(nextRequest(request))
      }
      const wait = due - performance.now()
      if (wait > 0) setTimeout(send, wait)
      else send()
    }
    socket.once('connect', ask)
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const status = statusOf(text)
      if (status === undefined) return
      text = ''
      statuses[status] = (statuses[status] ?? 0) + 1
      latencies.push(performance.now() - asked)
      ask()
    })
    socket.on('error', () => {})
    socket.once('close', () => {
      if (asked > 0) lost += 1
      resolve()
    })
  })
}

begun = performance.now()
until = begun + input.seconds * 1000
await Promise.all(Array.from({ length: input.connections }, drive))
const elapsed = (performance.now() - begun) / 1000
const accepted = statuses['202'] ?? 0
say({
  sent,
  perSecond: accepted / elapsed,
  statuses,
  lost,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99)
} satisfies LoadResult)
