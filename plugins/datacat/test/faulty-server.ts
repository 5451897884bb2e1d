import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import {
  createDatacatClient,
  DatacatError,
  type ClientOptions,
  type DatacatClient
} from '../clients/typescript/datacat.ts'

/** How the server treats one request: as it should, not at all, or it stores and the answer is lost. */
export type Fault = 'none' | 'refused' | 'lost' | 'cut' | 'busy' | 'stalled' | 'elsewhere'
export type Answer = (request: Received, response: ServerResponse) => boolean
export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

export interface FaultyServer {
  readonly url: string
  readonly received: Received[]
  /** Names of the events each session got, in order, as often as they were stored. */
  readonly stored: Map<string, string[]>
  /** The next requests fail like this. */
  readonly faults: Fault[]
  /** Answers before anything else does. */
  answer: Answer
  down(): Promise<void>
  up(): Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  let text = ''
  for await (const part of request) text += String(part)
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}
export const json = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
): void => {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body))
}

/** A refusal of datacat's own. */
export const refuse = (
  response: ServerResponse,
  status: number,
  code: string,
  rest: Record<string, unknown> = {}
): void => json(response, status, { type: `urn:rayne:error:${code}`, detail: 'no', ...rest })

export async function startServer(t: TestContext): Promise<FaultyServer> {
  const keys = new Set<string>()
  const store = ({ url, body }: Received): object => {
    const session = /sessions\/([^/]+)\/batch$/.exec(url)?.[1]
    if (url.endsWith('/heartbeat')) return { status: 'ok' }
    if (session === undefined) return { session_id: body['id'], created: true }
    const events = (body['events'] ?? []) as { name: string }[]
    const duplicate = keys.has(`${session} ${String(body['key'])}`)
    keys.add(`${session} ${String(body['key'])}`)
    if (!duplicate)
      faulty.stored.set(session, [
        ...(faulty.stored.get(session) ?? []),
        ...events.map(event => event.name)
      ])
    return { status: 'ok', accepted: duplicate ? 0 : events.length, duplicate }
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received: Received = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: await bodyOf(request)
    }
    faulty.received.push(received)
    const fault = faulty.faults.shift() ?? 'none'
    if (fault === 'refused') return void request.socket.destroy()
    if (fault === 'busy') return json(response, 503, {}, { 'retry-after': '0' })
    if (fault === 'stalled') return
    if (fault === 'elsewhere')
      return void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<p>log in to this network first')
    if (faulty.answer(received, response)) return
    const answer = store(received)
    if (fault === 'lost') return void request.socket.destroy()
    if (fault === 'cut') {
      response.writeHead(200, { 'content-length': '1000' }).write('{"sta')
      return void setTimeout(() => request.socket.destroy(), 2)
    }
    json(response, 200, answer)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => {})
  })
  const up = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const down = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const port = await up(0)
  t.after(down)
  const faulty: FaultyServer = {
    url: `http://127.0.0.1:${port}`,
    received: [],
    stored: new Map(),
    faults: [],
    answer: () => false,
    down,
    async up() {
      await up(port)
    }
  }
  return faulty
}

export function connect(
  t: TestContext,
  server: { url: string },
  options: Partial<ClientOptions> = {}
): DatacatClient {
  const client = createDatacatClient({
    url: server.url,
    backoffMs: 1,
    timeoutMs: 2_000,
    ...options
  })
  t.after(() => client.close({ signal: AbortSignal.abort() }).catch(() => {}))
  return client
}

export function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'datacat-offline-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const failure = async (work: Promise<unknown>): Promise<DatacatError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  assert.ok(error instanceof DatacatError, `${String(error)} is no DatacatError`)
  return error
}
export const names = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index))
export const filesOf = (folder: string): string[] =>
  readdirSync(folder).filter(name => name.endsWith('.json'))
