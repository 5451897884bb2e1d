import { createId, sessionPath } from './batch.ts'
import { createCounters, type ClientStats } from './counters.ts'
import { createDelivery } from './delivery.ts'
import { DatacatError } from './errors.ts'
import type { HeartbeatLimits } from './heartbeat.ts'
import { readLive } from './live.ts'
import { guarded } from './on-error.ts'
import { filterQuery, queryText, seriesQuery } from './query.ts'
import { openSession, type Session, type SessionParts } from './session.ts'
import { createTransport, type Transport } from './transport.ts'
import {
  timeText,
  type CallOptions,
  type Details,
  type ExportRecord,
  type Json,
  type LiveChange,
  type Moment,
  type Series,
  type SeriesQuery,
  type SessionFilters,
  type SessionList,
  type WholeSession
} from './wire.ts'

export interface ClientOptions {
  /** Base URL of the server, e.g. `http://127.0.0.1:8080`. */
  readonly url: string
  /** A token of a protected server: scope `ingest` to write, `read` to read. */
  readonly token?: string | undefined
  /** Per request, 10,000 unless said. */
  readonly timeoutMs?: number | undefined
  /** How often a failed request is repeated, 3 unless said: connection failures, 408, 429 and 5xx only. */
  readonly retries?: number | undefined
  /** The first pause between attempts, 200 ms unless said. */
  readonly backoffMs?: number | undefined
  /** `false`: one request a call instead of batches. */
  readonly buffered?: boolean | undefined
  /** The longest an item waits for its batch, 1,000 ms unless said. */
  readonly flushMs?: number | undefined
  /** Items that send a batch early, 500 unless said. */
  readonly flushItems?: number | undefined
  /** Items kept in memory, 10,000 unless said; what comes on top is dropped and counted. */
  readonly maxQueued?: number | undefined
  /** A folder in which batches wait for the server, also for a later process; Node only. */
  readonly offlineDir?: string | undefined
  /** The size of that folder in bytes, 64 MiB unless said. */
  readonly offlineMaxBytes?: number | undefined
  /** What new sessions say of themselves unless createSession says it. */
  readonly product?: string | undefined
  readonly version?: string | undefined
  readonly machineId?: string | undefined
  readonly hostname?: string | undefined
  /** Told of lost items and of failures in the background; console.warn unless said, once for each sentence. */
  readonly onError?: ((error: unknown) => void) | undefined
  readonly fetch?: typeof fetch | undefined
}

export interface SessionOptions extends CallOptions {
  /** A version 4 UUID; made here unless said, so that a repeated creation makes one session. */
  readonly id?: string | undefined
  readonly product?: string | undefined
  readonly version?: string | undefined
  readonly machineId?: string | undefined
  readonly hostname?: string | undefined
  readonly startedAt?: Moment | undefined
  readonly state?: Json | undefined
  /** Lets the server watch from the first moment on. */
  readonly heartbeat?: HeartbeatLimits | undefined
}

export interface DatacatClient {
  /** Creates a session; with `offlineDir` also while the server is away. Rejects with DatacatError. */
  createSession(options?: SessionOptions): Promise<Session>
  /** A session that exists, by its id; nothing is asked of the server. The same object while somebody holds it. */
  openSession(id: string): Session
  getSession(id: string, options?: CallOptions): Promise<Details>
  listSessions(
    filters?: SessionFilters &
      CallOptions & { readonly page?: number; readonly perPage?: number; readonly cursor?: string }
  ): Promise<SessionList>
  /** Points of one metric over sessions, aggregated for a chart. */
  series(query: SeriesQuery & CallOptions): Promise<Series>
  /** Every session with all it holds, as the first version's export gives them. */
  getAllSessions(options?: CallOptions): Promise<readonly WholeSession[]>
  deleteSession(id: string, options?: CallOptions): Promise<void>
  /** Everything of the sessions that match, one record at a time. */
  exportSessions(filters?: SessionFilters & CallOptions): AsyncIterable<ExportRecord>
  /**
   * Changes of all sessions, or of one with its events, points and states, as they happen; ends
   * with the loop that reads it. A lost connection is opened again, without what happened
   * meanwhile.
   */
  live(sessionId?: string, options?: CallOptions): AsyncIterable<LiveChange>
  /**
   * Resolves when everything written is with the server or on disk; rejects with DatacatError when
   * some is in memory only.
   */
  flush(options?: CallOptions): Promise<void>
  /** Ends heartbeats, takes no more and flushes. */
  close(options?: CallOptions): Promise<void>
  stats(): ClientStats
}

/** A client of one datacat server; every call rejects with DatacatError, or with the reason of its aborted signal. */
export function createDatacatClient(options: ClientOptions): DatacatClient {
  const onError = guarded(options.onError)
  const transport = createTransport({
    url: options.url,
    token: options.token,
    timeoutMs: options.timeoutMs ?? 10_000,
    retries: options.retries ?? 3,
    backoffMs: options.backoffMs ?? 200,
    fetch: options.fetch ?? ((input, init) => fetch(input, init))
  })
  const counters = createCounters()
  const delivery = createDelivery({
    transport,
    counters,
    onError,
    flushMs: options.flushMs ?? 1_000,
    flushItems: options.flushItems ?? 500,
    maxQueued: options.maxQueued ?? 10_000,
    offline:
      options.offlineDir === undefined
        ? undefined
        : { folder: options.offlineDir, maxBytes: options.offlineMaxBytes ?? 64 * 1024 * 1024 }
  })
  const beating = new Set<() => void>()
  const parts: SessionParts = {
    transport,
    delivery,
    counters,
    buffered: options.buffered ?? true,
    beating,
    onError
  }
  const open = shared((id: string) => openSession(id, parts))

  return {
    async createSession(session = {}) {
      const id = session.id ?? createId()
      const body = JSON.stringify(creationOf(id, session, options))
      await delivery.submit({ path: '/v1/datacat/sessions', body }, 0, counters, {
        ordered: false,
        signal: session.signal
      })
      return open(id)
    },
    openSession: open,
    flush: ({ signal } = {}) => delivery.flush(signal),
    async close({ signal } = {}) {
      for (const stop of beating) stop()
      await delivery.close(signal)
    },
    stats: () => ({ ...counters.read(), storedBytes: delivery.storedBytes() }),
    ...reader(transport)
  }
}

type Reader = Pick<
  DatacatClient,
  | 'getSession'
  | 'listSessions'
  | 'series'
  | 'getAllSessions'
  | 'deleteSession'
  | 'exportSessions'
  | 'live'
>

function reader(transport: Transport): Reader {
  const get = <T>(path: string, signal: AbortSignal | undefined): Promise<T> =>
    transport.send<T>('GET', path, { signal })
  return {
    getSession: (id, { signal } = {}) => get(sessionPath(id), signal),
    listSessions: ({ signal, page, perPage, cursor, ...filters } = {}) =>
      get(
        `/v1/datacat/sessions${filterQuery(filters, { page, per_page: perPage, cursor })}`,
        signal
      ),
    series: ({ signal, ...query }) => get(`/v1/datacat/series${seriesQuery(query)}`, signal),
    getAllSessions: ({ signal } = {}) => get('/api/grafana/sessions', signal),
    async deleteSession(id, { signal } = {}) {
      try {
        await transport.send('DELETE', sessionPath(id), { signal })
      } catch (error) {
        // A repeated deletion whose first answer was lost.
        if (!(error instanceof DatacatError) || error.status !== 404 || error.attempts === 1)
          throw error
      }
    },
    exportSessions: ({ signal, ...filters } = {}) =>
      readExport(transport, `/v1/datacat/export${filterQuery(filters)}`, signal),
    live: (sessionId, { signal } = {}) =>
      readLive(transport, `/v1/datacat/live${queryText({ session: sessionId })}`, signal)
  }
}

const exportIdleMs = 60_000

async function* readExport(
  transport: Transport,
  path: string,
  signal: AbortSignal | undefined
): AsyncGenerator<ExportRecord> {
  for await (const line of transport.lines(path, {
    signal,
    idleMs: exportIdleMs,
    headers: { accept: 'application/x-ndjson' }
  })) {
    if (line.trim() !== '') yield recordOf(line)
  }
}

function recordOf(line: string): ExportRecord {
  try {
    return JSON.parse(line) as ExportRecord
  } catch (cause) {
    throw new DatacatError('answer', `the export ended within a record: ${line.slice(0, 80)}`, {
      status: 200,
      cause
    })
  }
}

function creationOf(id: string, session: SessionOptions, usual: ClientOptions): Json {
  const { startedAt = Date.now(), state, heartbeat } = session
  return {
    id,
    product: session.product ?? usual.product,
    version: session.version ?? usual.version,
    machine_id: session.machineId ?? usual.machineId,
    hostname: session.hostname ?? usual.hostname,
    started_at: timeText(startedAt),
    state,
    ...(heartbeat
      ? {
          heartbeat: {
            hung_after_seconds: heartbeat.hungAfterSeconds,
            crashed_after_seconds: heartbeat.crashedAfterSeconds
          }
        }
      : {})
  }
}

/**
 * The same session for the same id as long as somebody holds it, so that its writes share batches
 * and its heartbeat is one.
 */
function shared(open: (id: string) => Session): (id: string) => Session {
  const sessions = new Map<string, WeakRef<Session>>()
  const gone = new FinalizationRegistry<string>(id => {
    if (!sessions.get(id)?.deref()) sessions.delete(id)
  })
  return id => {
    const held = sessions.get(id)?.deref()
    if (held) return held
    const session = open(id)
    sessions.set(id, new WeakRef(session))
    gone.register(session, id)
    return session
  }
}

export { DatacatError } from './errors.ts'
export { reportUncaught, type UncaughtOptions } from './uncaught.ts'
export type { Session } from './session.ts'
export type { ClientStats, Stats } from './counters.ts'
export type {
  CallOptions,
  Details,
  EventRecord,
  ExportRecord,
  LiveChange,
  Moment,
  PathFilter,
  PointRecord,
  Series,
  SeriesQuery,
  SessionFilters,
  SessionList,
  StateRecord,
  Summary,
  WholeSession
} from './wire.ts'
