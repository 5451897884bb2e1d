import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { driftOf, type Drift } from './drift.ts'
import { cursorOf } from './paging.ts'
import type { Interaction, RecordedRequest, RecordedResponse, Recording } from './recordings.ts'

/**
 * How a request found its answer: equal, same method and path, by page cursor, a stand-in for a call nobody
 * recorded, or not at all.
 */
export type Level = 'exact' | 'path' | 'cursor' | 'companion' | 'miss'
export interface Served {
  readonly level: Level
  readonly drift: readonly Drift[]
  readonly interaction?: Interaction
  readonly request: RecordedRequest
}

/**
 * What is replayed at the moment: the interaction under test first, then its recording, then companions by
 * `METHOD /path`.
 */
export interface Stage {
  readonly recording: Recording
  readonly target: Interaction
  readonly companions: Readonly<Record<string, unknown>>
  first?(request: RecordedRequest): RecordedResponse | undefined
}

export async function startReplayServer() {
  let stage: Stage | undefined
  let served: Served[] = []
  const server = createServer((incoming, outgoing) => {
    void readRequest(incoming).then(request => {
      const { answer, ...record } = choose(stage, request)
      served.push({ ...record, request })
      respond(outgoing, answer)
    })
  })
  // Loading the SDK blocks the loop; a connection closed meanwhile would fail the next request,
  // and writes are sent once.
  server.keepAliveTimeout = 120_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replay(next: Stage): void {
      stage = next
      served = []
    },
    served: (): readonly Served[] => served,
    close: (): Promise<void> =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
export type ReplayServer = Awaited<ReturnType<typeof startReplayServer>>

interface Choice {
  readonly level: Level
  readonly drift: readonly Drift[]
  readonly interaction?: Interaction
  readonly answer: RecordedResponse
}

function choose(stage: Stage | undefined, request: RecordedRequest): Choice {
  if (!stage) return miss(request, [])
  const { recording, target, companions } = stage
  const before = stage.first?.(request)
  if (before) return { level: 'companion', drift: [], answer: before }
  const cursor = cursorOf(request)
  const samePath = ({ request: recorded }: Interaction): boolean =>
    recorded.method === request.method && plainPath(recorded.path) === plainPath(request.path)
  const found =
    cursor === undefined
      ? [target, ...recording.interactions].find(
          interaction =>
            samePath(interaction) &&
            (interaction === target ||
              driftOf(request, interaction.request, recording.at).length === 0)
        )
      : recording.interactions.find(
          interaction => samePath(interaction) && cursorOf(interaction.request) === cursor
        )
  if (found) {
    const drift = driftOf(request, found.request, recording.at)
    return {
      level: drift.length === 0 ? 'exact' : cursor === undefined ? 'path' : 'cursor',
      drift,
      interaction: found,
      answer: found.response
    }
  }
  const companion = companions[`${request.method} ${request.path}`]
  if (companion !== undefined)
    return {
      level: 'companion',
      drift: [],
      answer: { status: 200, headers: { 'content-type': 'application/json' }, body: companion }
    }
  return miss(request, recording.interactions)
}

/** Recordings differ in what they escape. */
function plainPath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function miss(request: RecordedRequest, interactions: readonly Interaction[]): Choice {
  const score = ({ request: recorded }: Interaction): number =>
    Number(recorded.path === request.path) * 2 + Number(recorded.method === request.method)
  const nearest = interactions.toSorted((a, b) => score(b) - score(a))[0]?.request ?? null
  return {
    level: 'miss',
    drift: [],
    answer: {
      status: 599,
      headers: { 'content-type': 'application/json' },
      body: {
        errors: [
          `no recorded request matches ${request.method} ${request.path}; nearest: ${JSON.stringify(nearest)}`
        ]
      }
    }
  }
}

async function readRequest(incoming: IncomingMessage): Promise<RecordedRequest> {
  const url = new URL(incoming.url ?? '/', 'http://replay')
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    body: text === '' ? null : (JSON.parse(text) as unknown)
  }
}

function respond(
  outgoing: ServerResponse,
  { status, headers, body, body_raw: raw }: RecordedResponse
): void {
  outgoing.writeHead(status, headers)
  outgoing.end(raw ?? (body === null || body === undefined ? '' : JSON.stringify(body)))
}
