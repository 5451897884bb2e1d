import { connect } from 'node:net'
import { readInput, say } from '../process/own-process.ts'

/** One kind of request that is sent without end; `mark` in it becomes a number of its own. */
export interface Flood {
  readonly name: string
  readonly request: string
  readonly perSecond: number
  readonly connections: number
}
export interface FloodInput {
  readonly url: string
  readonly seconds: number
  readonly mark: string
  readonly floods: readonly Flood[]
}
/** How each kind was answered: by status, or `cut` where a connection ended without an answer. */
export type FloodResult = Readonly<Record<string, Readonly<Record<string, number>>>>

const input = await readInput<FloodInput>()
const { hostname, port } = new URL(input.url)
const begun = performance.now()
const until = begun + input.seconds * 1000
let number = 0

/** The status of a whole answer; an answer without a length goes on, and its head is the answer. */
function statusOf(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  return Buffer.byteLength(text) >= end + 4 + length ? text.slice(9, 12) : undefined
}

/** Sends one kind on one connection at a time, in turn with the others of its kind, and connects again when cut. */
function drive(
  flood: Flood,
  counts: Record<string, number>,
  turn: { next: number }
): Promise<void> {
  return new Promise(resolve => {
    const open = (): void => {
      // From another address of this machine than the webhooks come from.
      const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.0.2' })
      let text = ''
      let asked = false
      const count = (what: string): void => {
        counts[what] = (counts[what] ?? 0) + 1
        asked = false
      }
      const ask = (): void => {
        const due = Math.max(begun + (1000 * turn.next++) / flood.perSecond, performance.now())
        if (due >= until) return void socket.destroy()
        setTimeout(
          () => {
            if (socket.destroyed) return
            asked = true
            socket.write(
              flood.request.replaceAll(input.mark, () => String(number++).padStart(12, '0'))
            )
          },
          Math.max(0, due - performance.now())
        )
      }
      const stop = setTimeout(() => socket.destroy(), until - performance.now())
      socket.once('connect', ask).setEncoding('latin1')
      socket.on('data', (part: string) => {
        if (!asked) return
        text += part
        const status = statusOf(text)
        if (status === undefined) return
        text = ''
        count(status)
        ask()
      })
      socket.on('error', () => {})
      socket.once('close', () => {
        clearTimeout(stop)
        if (performance.now() >= until - 50) return resolve()
        if (asked) count('cut')
        setTimeout(open, 20)
      })
    }
    open()
  })
}

const result = await Promise.all(
  input.floods.map(async flood => {
    const counts: Record<string, number> = {}
    const turn = { next: 0 }
    await Promise.all(Array.from({ length: flood.connections }, () => drive(flood, counts, turn)))
    return [flood.name, counts] as const
  })
)
say(Object.fromEntries(result) satisfies FloodResult)
