import { createToken, defineErrors, defineEvent, Type, type Static } from '../../core/index.ts'

const text = Type.Union([Type.String(), Type.Null()])

/** What every event about a session says of it; `at` is epoch milliseconds. */
const About = {
  session_id: Type.String(),
  at: Type.Number(),
  product: text,
  version: text,
  machine_id: text,
  hostname: text
}
const Silence = {
  ...About,
  seconds_since_heartbeat: Type.Integer(),
  /** Found at a start: while the server was away, no beat could reach it. */ found_at_start:
    Type.Boolean()
}

/** A monitored session missed its limit; the event `application_appears_hung` was written with it. */
export const SessionHung = defineEvent(
  'datacat.session-hung',
  Type.Object({ ...Silence, timeout_seconds: Type.Number() })
)
/** It beat again after it was hung or crashed. */
export const SessionRecovered = defineEvent(
  'datacat.session-recovered',
  Type.Object({ ...About, was: Type.Union([Type.Literal('hung'), Type.Literal('crashed')]) })
)
/** It stayed silent past its second limit, or its machine began anew while it was suspended. */
export const SessionCrashed = defineEvent(
  'datacat.session-crashed',
  Type.Object({ ...Silence, reason: Type.String() })
)
/** It was ended by its application; ending again says so again. */
export const SessionEnded = defineEvent('datacat.session-ended', Type.Object(About))
export type SessionHung = Static<typeof SessionHung.payload>
export type SessionRecovered = Static<typeof SessionRecovered.payload>
export type SessionCrashed = Static<typeof SessionCrashed.payload>
export type SessionEnded = Static<typeof SessionEnded.payload>

/** How a session is opened; every part may be left out. Times are epoch milliseconds, limits seconds. */
export interface OpenSession {
  /** A UUID of the caller's: opening it again answers the same session. */
  readonly id?: string
  readonly product?: string
  readonly version?: string
  readonly machineId?: string
  readonly hostname?: string
  readonly startedAt?: number
  readonly state?: Readonly<Record<string, unknown>>
  readonly heartbeat?: { readonly hungAfterSeconds?: number; readonly crashedAfterSeconds?: number }
}
/** Some writes to one session that are committed together, or not at all. */
export interface SessionWrites {
  /** The same key for the same session is stored once. */
  readonly key?: string
  readonly states?: readonly {
    readonly state: Readonly<Record<string, unknown>>
    readonly at?: number
  }[]
  readonly events?: readonly {
    readonly name: string
    readonly data?: Readonly<Record<string, unknown>> | null
    readonly level?: string
    readonly at?: number
  }[]
  readonly metrics?: readonly {
    readonly name: string
    readonly value: number
    readonly tags?: readonly string[]
    readonly kind?: 'gauge' | 'counter' | 'histogram' | 'timer'
    readonly unit?: string
    readonly at?: number
  }[]
  readonly heartbeat?: boolean
  readonly end?: boolean
}
/**
 * Opens and writes sessions from inside the process; what it answers is committed. An unknown
 * session is a RayneError 404.
 */
export interface Datacat {
  open(session?: OpenSession): Promise<{ readonly id: string; readonly created: boolean }>
  write(
    sessionId: string,
    writes: SessionWrites
  ): Promise<{ readonly accepted: number; readonly duplicate: boolean }>
  end(sessionId: string): Promise<void>
}
/** A session as lists of other plugins show it; times are ISO. */
export interface SessionInShort {
  readonly id: string
  readonly status: string
  readonly product: string | null
  readonly version: string | null
  readonly hostname: string | null
  readonly created_at: string
  readonly ended_at: string | null
  readonly last_heartbeat_at: string | null
  readonly event_count: number
  readonly metric_count: number
}
/** Reads sessions from inside the process, with the bounds of the wire. */
export interface Sessions {
  /** Newest first; names must match as a whole, `q` needs a part only. */
  find(
    filter: {
      readonly status?: string
      readonly product?: string
      readonly version?: string
      readonly hostname?: string
      readonly q?: string | undefined
    },
    limit: number
  ): Promise<{ readonly rows: readonly SessionInShort[]; readonly total: number }>
  /** One with its newest events; an unknown id is `session-not-found`. */
  read(
    id: string,
    events: number
  ): Promise<{
    readonly summary: SessionInShort
    readonly state: Readonly<Record<string, unknown>>
    readonly metrics: readonly ({ readonly name: string; readonly last_at: string } & Readonly<
      Record<string, unknown>
    >)[]
    readonly events: readonly {
      readonly name: string
      readonly level: string | null
      readonly timestamp: string
      readonly data: unknown
    }[]
  }>
}
export const SessionsToken = createToken<Sessions>('datacat.reader')
export const DatacatToken = createToken<Datacat>('datacat.sessions')

/** The errors of this plugin. */
export const datacatErrors = defineErrors({
  'chart-too-large': [422, 'A chart took too long; ask for less time or fewer sessions.'],
  'list-too-large': [422, 'A list took too long; narrow it.'],
  'metric-not-found': [404, 'The session has no metric of this name.'],
  'session-not-found': [404, 'No session has this id, or it is of another ingest token.'],
  'too-many-charts': [429, 'A caller asks for more charts than it may at once; wait.'],
  'too-many-groups': [422, 'The path of group_by has more values than a chart shows.'],
  'too-many-streams': [429, 'A caller has more answers open than it may; close one.']
})
