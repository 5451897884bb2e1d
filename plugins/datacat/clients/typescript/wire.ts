/** A moment in a request: a Date, RFC 3339 text or epoch milliseconds. */
export type Moment = Date | string | number
export type Level = 'debug' | 'info' | 'warning' | 'error' | 'critical'
export type MetricType = 'gauge' | 'counter' | 'histogram' | 'timer'
export type SessionStatus =
  | 'active'
  | 'ended'
  | 'hung'
  | 'crashed'
  | 'suspended'
  | 'recovered'
  | 'ever_hung'
/** Any JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** What every call that can wait accepts. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** One session as lists show it; times are ISO text in UTC. */
export interface Summary {
  readonly id: string
  readonly created_at: string
  readonly updated_at: string
  readonly ended_at: string | null
  readonly active: boolean
  readonly status: SessionStatus
  readonly product: string | null
  readonly version: string | null
  readonly machine_id: string | null
  readonly hostname: string | null
  readonly event_count: number
  readonly metric_count: number
  readonly state_count: number
  readonly last_heartbeat_at: string | null
}
/** What is known of one metric of one session. */
export interface MetricSummary {
  readonly name: string
  readonly type: MetricType | null
  readonly unit: string | null
  readonly points: number
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  readonly last: number
  readonly first_at: string
  readonly last_at: string
}
/** One session with its state now; events, points and states are read page by page. */
export interface Details extends Summary {
  readonly state: Json
  readonly heartbeat: {
    readonly hung_after_seconds: number
    readonly crashed_after_seconds: number
  } | null
  readonly metrics: readonly MetricSummary[]
}
/** What failed in the application. */
export interface ExceptionInfo {
  readonly type: string
  readonly message: string
  readonly stacktrace: readonly string[]
  readonly file?: string
  readonly line?: number
  readonly function?: string
}
export interface EventRecord {
  readonly n: number
  readonly timestamp: string
  readonly received_at: string
  readonly name: string
  readonly level: Level | null
  readonly data: Json | null
  readonly message?: string
  readonly group?: string
  readonly labels?: readonly string[]
  readonly exception?: ExceptionInfo
}
export interface PointRecord {
  readonly n: number
  readonly timestamp: string
  readonly name: string
  readonly value: number
  readonly tags?: readonly string[]
  readonly type?: MetricType
  readonly unit?: string
  readonly count?: number
  readonly metadata?: Json
}
export interface StateRecord {
  readonly n: number
  readonly timestamp: string
  readonly patch: Json
}
/** The place to read on from, or null at the end; pass it as `after`. */
export interface Page {
  readonly next_after: number | null
}

/** Values a path of the state may have; all of them must hold. */
export type PathFilter = Readonly<
  Record<string, string | number | boolean | null | readonly (string | number | boolean | null)[]>
>
/** Which sessions; everything given must hold. */
export interface SessionFilters {
  readonly status?: SessionStatus | undefined
  readonly product?: string | undefined
  readonly version?: string | undefined
  readonly machineId?: string | undefined
  /** The beginning of an id, a product or a host name. */
  readonly q?: string | undefined
  /** Created at or after. */
  readonly from?: Moment | undefined
  readonly to?: Moment | undefined
  /** State now, by path with dots. */
  readonly current?: PathFilter | undefined
  /** State now or at any time before. */
  readonly ever?: PathFilter | undefined
  /** An array in the state that holds the value now. */
  readonly contains?: PathFilter | undefined
  readonly everContains?: PathFilter | undefined
}
export interface SessionList {
  readonly sessions: readonly Summary[]
  readonly total_count: number
  readonly page: number
  readonly per_page: number
  readonly next_cursor: string | null
}

export interface SeriesQuery extends SessionFilters {
  readonly metric: string
  /** A percentile is written `p0` to `p100`. */
  readonly aggregation?:
    | 'all'
    | 'peak'
    | 'max'
    | 'average'
    | 'min'
    | 'count'
    | 'sum'
    | `p${number}`
    | undefined
  readonly per?: 'session' | 'time' | undefined
  /** A path of the state. */
  readonly groupBy?: string | undefined
  readonly points?: number | undefined
  readonly session?: string | undefined
}
export interface Series {
  readonly metric: string
  readonly aggregation: string
  readonly per: string
  readonly sessions_matched: number
  readonly exact: boolean
  readonly peak: number | null
  readonly average: number | null
  readonly min: number | null
  readonly max: number | null
  readonly count: number
  readonly series: readonly {
    readonly group: string | null
    readonly sessions: number
    readonly points: readonly {
      readonly timestamp: string
      readonly value: number
      readonly session_id?: string
    }[]
  }[]
}
/** A session as the first version's export gives it, with all its events and points. */
export interface WholeSession {
  readonly id: string
  readonly created_at: string
  readonly updated_at: string
  readonly ended_at?: string
  readonly active: boolean
  readonly state: Json
  readonly events: readonly {
    readonly timestamp: string
    readonly name: string
    readonly data: Json | null
  }[]
  readonly metrics: readonly {
    readonly timestamp: string
    readonly name: string
    readonly value: number
    readonly tags?: readonly string[]
  }[]
}
/** One line of an export. */
export interface ExportRecord {
  readonly type: 'session' | 'state' | 'event' | 'metric'
  readonly [field: string]: unknown
}
/** One change as it happens. */
export interface LiveChange {
  readonly type: string
  readonly id?: string
  readonly data: Json
}

/** RFC 3339 text of a moment; throws RangeError for a date that is none. */
export const timeText = (moment: Moment): string =>
  typeof moment === 'string' ? moment : new Date(moment).toISOString()
