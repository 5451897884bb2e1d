import { connect, type Socket } from 'node:net'

/** `bytes` counts the body as it came; `text` is empty on a connection that keeps nothing. */
export interface Answer {
  readonly status: number
  readonly bytes: number
  readonly text: string
}

/**
 * One keep-alive connection, one request at a time; it connects when it is first used and again
 * after it was closed.
 */
export interface Connection {
  /** Rejects with the socket's error when the answer does not come whole: the request may or may not have been done. */
  ask(request: Buffer): Promise<Answer>
  close(): void
}

interface Head {
  readonly status: number
  readonly bodyAt: number
  readonly length: number | undefined
  readonly closes: boolean
}
interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

const lastChunk = Buffer.from('0\r\n\r\n')

/** A whole request; bodies are JSON. */
export function requestOf(
  url: string,
  method: string,
  path: string,
  body?: string | Buffer
): Buffer {
  const payload = Buffer.from(body ?? '')
  const length = method === 'GET' ? '' : `content-length: ${payload.length}\r\n`
  return Buffer.concat([
    Buffer.from(
      `${method} ${path} HTTP/1.1\r\nhost: ${new URL(url).host}\r\ncontent-type: application/json\r\n${length}\r\n`
    ),
    payload
  ])
}

function headOf(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const text = bytes.toString('latin1', 0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  return {
    status: Number(text.slice(9, 12)),
    bodyAt: end + 4,
    length: length === undefined ? undefined : Number(length),
    closes: /\r\nconnection: *close/i.test(text)
  }
}

/**
 * http.Agent would cost more than the server it measures. `keep: false` counts bodies and drops
 * them; an answer takes `limitMs` at most.
 */
export function createConnection(
  url: string,
  { keep = true, limitMs = 60_000 }: { keep?: boolean; limitMs?: number } = {}
): Connection {
  const { hostname, port } = new URL(url)
  let socket: Socket | undefined
  let waiting: Waiting | undefined
  let chunks: Buffer[] = []
  let received = 0
  let head: Head | undefined
  let tail: Buffer = Buffer.alloc(0)
  // A buffer of its own for every chunk would cost a reader of large answers more than the network.
  const reused = keep ? undefined : Buffer.allocUnsafe(262_144)

  function finish(answer: Answer, closes: boolean): void {
    const { resolve } = waiting!
    waiting = undefined
    if (closes) drop()
    resolve(answer)
  }

  function take(chunk: Buffer): void {
    received += chunk.length
    const before = head
    head ??= headOf(chunks.length === 0 ? chunk : Buffer.concat([...chunks, chunk]))
    if (keep || !before) chunks.push(reused ? Buffer.from(chunk) : chunk)
    if (!head) return
    if (head.length === undefined)
      tail = Buffer.concat([tail, chunk.subarray(-lastChunk.length)]).subarray(-lastChunk.length)
    const whole =
      head.length === undefined ? tail.equals(lastChunk) : received >= head.bodyAt + head.length
    if (!whole || !waiting) return
    const body = keep ? Buffer.concat(chunks).subarray(head.bodyAt) : Buffer.alloc(0)
    finish(
      {
        status: head.status,
        bytes: received - head.bodyAt,
        text: (head.length === undefined ? joined(body) : body).toString('utf8')
      },
      head.closes
    )
  }

  function drop(): void {
    const old = socket
    socket = undefined
    old?.destroy()
  }

  function open(): Socket {
    const opened = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      ...(reused
        ? {
            onread: {
              buffer: reused,
              callback: (size: number) => {
                take(reused.subarray(0, size))
                return true
              }
            }
          }
        : {})
    })
    const fail = (error: Error): void => {
      if (socket !== opened) return
      drop()
      const lost = waiting
      waiting = undefined
      lost?.reject(error)
    }
    opened.setTimeout(limitMs, () => {
      if (waiting) fail(new Error(`no answer within ${limitMs / 1000} s`))
    })
    return opened
      .on('data', take)
      .on('error', fail)
      .on('close', () => fail(new Error('connection closed')))
  }

  return {
    ask(request) {
      chunks = []
      received = 0
      head = undefined
      tail = Buffer.alloc(0)
      return new Promise<Answer>((resolve, reject) => {
        waiting = { resolve, reject }
        socket ??= open()
        socket.write(request)
      })
    },
    close() {
      drop()
      const lost = waiting
      waiting = undefined
      lost?.reject(new Error('hung up'))
    }
  }
}

/** The body inside of chunks. */
function joined(body: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length;) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, end), 16)
    if (!(size > 0)) break
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
  return Buffer.concat(parts)
}

/** One call on a connection of its own, answered as JSON; throws when the status is not 2xx. */
export async function callJson<T>(
  url: string,
  method: string,
  path: string,
  body?: unknown
): Promise<T> {
  const connection = createConnection(url)
  try {
    const { status, text } = await connection.ask(
      requestOf(url, method, path, body === undefined ? undefined : JSON.stringify(body))
    )
    if (status < 200 || status > 299)
      throw new Error(`${method} ${path} answered ${status}: ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  } finally {
    connection.close()
  }
}
