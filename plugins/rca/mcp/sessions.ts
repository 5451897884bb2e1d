import { randomUUID } from 'node:crypto'
import {
  WebStandardStreamableHTTPServerTransport,
  type McpHandlerRequestOptions,
  type McpServer,
  type Server
} from '@modelcontextprotocol/server'
import { minuteMs } from '../../../core/index.ts'
import { createEventStore } from './event-store.ts'

const idleMs = 30 * minuteMs
const mostSessions = 100
const mostOfOne = 20

/** A server of either layer of the library. */
export type AnyServer = Server | McpServer

interface Session {
  readonly owner: string
  readonly server: AnyServer
  readonly transport: WebStandardStreamableHTTPServerTransport
  lastUsed: number
}

/**
 * Conversations of clients of the 2025-11-25 revision, in this process: at most 100, 20 of one caller, each until it
 * has been idle for 30 minutes. An id is answered to nobody but who began it.
 */
export function createSessions(
  settings: { readonly maxRequestBodySize: number; readonly onerror: (error: Error) => void },
  now: () => number = Date.now
) {
  const sessions = new Map<string, Session>()
  const drop = (id: string): void => {
    const session = sessions.get(id)
    sessions.delete(id)
    session?.server.close().catch(settings.onerror)
  }
  /** Oldest use first, since each use puts a session at the end. */
  function makeRoom(owner: string): void {
    for (const [id, { lastUsed }] of sessions) if (lastUsed + idleMs < now()) drop(id)
    const own = [...sessions].filter(([, session]) => session.owner === owner)
    const [oldestOwn] = own
    const [oldest] = sessions.keys()
    if (oldestOwn && own.length >= mostOfOne) drop(oldestOwn[0])
    else if (oldest !== undefined && sessions.size >= mostSessions) drop(oldest)
  }
  return {
    /** Begins a session with its `initialize` request. */
    async open(
      owner: string,
      server: AnyServer,
      request: Request,
      options: McpHandlerRequestOptions | undefined
    ): Promise<Response> {
      makeRoom(owner)
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: createEventStore(),
        maxRequestBodySize: settings.maxRequestBodySize,
        onsessioninitialized: id => {
          sessions.set(id, { owner, server, transport, lastUsed: now() })
        },
        onsessionclosed: id => drop(id)
      })
      Object.assign(transport, { onerror: settings.onerror })
      await server.connect(transport)
      return transport.handleRequest(request, options)
    },
    /** Undefined when there is none, or it is another caller's. */
    async serve(
      id: string,
      owner: string,
      request: Request,
      options: McpHandlerRequestOptions | undefined
    ): Promise<Response | undefined> {
      const session = sessions.get(id)
      if (!session || session.owner !== owner) return undefined
      if (session.lastUsed + idleMs < now()) {
        drop(id)
        return undefined
      }
      sessions.delete(id)
      sessions.set(id, session)
      session.lastUsed = now()
      return session.transport.handleRequest(request, options)
    },
    /** Tells each client to read the list of tools again. */
    toolsChanged(): void {
      for (const { server } of sessions.values())
        Promise.resolve(server.sendToolListChanged()).catch(settings.onerror)
    },
    close(): void {
      for (const id of sessions.keys()) drop(id)
    }
  }
}
