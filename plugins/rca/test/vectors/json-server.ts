import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd, type Test } from '../../../../core/testing.ts'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}
export interface Answer {
  readonly status: number
  readonly body: unknown
}
/** How a service goes wrong. */
export type Trouble = 'hang' | 'cut' | 'no-json' | 'redirect' | 'huge' | { status: number }

/** A loopback service of JSON; `trouble` decides of each request whether and how it goes wrong. */
export async function startJsonServer(t: Test, answer: (asked: Asked) => Answer) {
  const requests: Asked[] = []
  const control = { trouble: (_: Asked): Trouble | undefined => undefined }
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const text = await textOf(request)
      const asked: Asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text)
      }
      requests.push(asked)
      const trouble = control.trouble(asked)
      if (trouble !== undefined) return goWrong(response, trouble)
      const { status, body } = answer(asked)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = (): void => {
    server.closeAllConnections()
    server.close()
  }
  atEnd(t, stop)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, requests, control, stop }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

function goWrong(response: ServerResponse, trouble: Trouble): void {
  if (trouble === 'hang') return
  if (trouble === 'cut') {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"result"')
    setImmediate(() => response.destroy())
  } else if (trouble === 'no-json') response.end('<html>please log in</html>')
  else if (trouble === 'redirect')
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
  else if (trouble === 'huge') response.end(`"${'x'.repeat(9 * 1_048_576)}"`)
  else response.writeHead(trouble.status).end(JSON.stringify({ error: 'told to fail' }))
}
