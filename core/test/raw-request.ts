import { connect, type Socket } from 'node:net'

export interface RawResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
  readonly body: Record<string, unknown>
}

export function openSocket(url: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''))
  socket.on('error', () => {})
  return socket
}

/** Sends bytes as they are, for what `fetch` refuses to send, and reads one answer until the server closes. */
export function rawRequest(
  url: string,
  lines: readonly string[],
  body: string | Uint8Array = ''
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(url)
    const parts: Buffer[] = []
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer within 20 s')))
    socket.on('error', error => parts.length === 0 && reject(error))
    socket.on('data', part => {
      parts.push(Buffer.from(part))
    })
    socket.on('close', () => resolve(parse(Buffer.concat(parts).toString('utf8'))))
    socket.write([...lines, 'Connection: close', '', ''].join('\r\n'))
    if (body.length > 0) socket.write(body)
  })
}

function parse(text: string): RawResponse {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map(line => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim()
    ])
  )
  const body = rest.join('\r\n\r\n')
  const json =
    headers['transfer-encoding'] === undefined &&
    headers['content-type']?.includes('json') &&
    body !== ''
      ? (JSON.parse(body) as Record<string, unknown>)
      : {}
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(first)?.[1] ?? 0),
    headers,
    text: body,
    body: json
  }
}
