import type { EpochMs, EpochSeconds, Ns } from '../../core/index.ts'

/** An absolute window, both ends inclusive as Datadog reads them. */
export interface TimeWindow {
  readonly from: EpochMs
  readonly to: EpochMs
}

/** Bounds of one call: it ends at the signal or after `timeoutMs` (default 30 s), whichever is first. */
export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/**
 * Rows of one read. An empty `rows` always means that Datadog answered "none" for `asked`:
 * every failure is a thrown DatadogError instead.
 */
export interface DatadogRows<T> {
  readonly rows: readonly T[]
  /** More rows exist than the limit allowed. */
  readonly truncated: boolean
  /** How many there are in all, when Datadog says so. */
  readonly total?: number
  /** Why the answer may be incomplete (Datadog's time-out status, warnings, dropped rows). */
  readonly warnings: readonly string[]
  readonly asked: Asked
}
/** What was asked, in words a person can paste into Datadog; `tier` says which storage of logs answered. */
export interface Asked {
  readonly query: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly tier?: string
}

/** An object of Datadog as it came, except that integers beyond 2^53 are texts. */
export type DatadogObject = Readonly<Record<string, unknown>>
export interface DatadogMonitor {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly query: string
  readonly message: string
  readonly tags: readonly string[]
  /** Datadog's `overall_state`, unknown words kept. */
  readonly state: string
  readonly thresholds: Readonly<Record<string, number>>
  readonly priority: number | null
  readonly createdAt?: EpochMs
}

export interface DatadogEvent {
  readonly id: string
  readonly at: EpochMs
  readonly title: string
  readonly message: string
  readonly tags: readonly string[]
  readonly source?: string
  readonly service?: string
  readonly host?: string
  readonly status?: string
}

export interface DatadogLog {
  readonly id: string
  readonly at: EpochMs
  readonly status: string
  readonly message: string
  readonly host?: string
  readonly service?: string
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface DatadogHost {
  readonly name: string
  /** Other names Datadog knows it by; absent when it says none. */
  readonly aliases?: readonly string[]
  readonly up?: boolean
  readonly muted?: boolean
  readonly apps: readonly string[]
  readonly sources: readonly string[]
  readonly tags: readonly string[]
  readonly lastReported?: EpochSeconds
  readonly metrics: { readonly cpu?: number; readonly load?: number; readonly iowait?: number }
}

export interface DatadogSeries {
  readonly metric: string
  readonly scope: string
  readonly intervalSeconds: number
  /** Time-ordered; the last, partial bucket is already dropped; null is a bucket without data. */
  readonly points: readonly { readonly at: EpochMs; readonly value: number | null }[]
}

export type NotebookCell =
  | { readonly type: 'markdown'; readonly text: string }
  | { readonly type: 'timeseries'; readonly title: string; readonly query: string }

export interface NotebookDraft {
  readonly name: string
  readonly cells: readonly NotebookCell[]
  readonly window: TimeWindow
}
export interface NotebookRef {
  readonly id: string
  readonly name: string
  readonly url: string
}
/** A notebook with its cells as Datadog describes them. */
export interface NotebookContent extends NotebookRef {
  readonly cells: readonly { readonly type: string; readonly definition: DatadogObject }[]
}
export interface EventDraft {
  readonly title: string
  readonly text: string
  readonly tags: readonly string[]
  readonly alertType?: 'error' | 'warning' | 'info' | 'success'
}
/** What a monitor search knows of a monitor: `state` is its `status` field, unknown words kept. */
export interface MonitorHit {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly type: string
  readonly query: string
  readonly tags: readonly string[]
  readonly priority: number | null
  readonly lastTriggered?: EpochSeconds
}

/** One span; ids are decimal texts, because numbers would round them. */
export interface DatadogSpan {
  readonly id: string
  readonly traceId: string
  readonly spanId: string
  readonly parentId?: string
  readonly service: string
  readonly resource: string
  readonly operation?: string
  readonly env?: string
  readonly host?: string
  readonly status?: string
  readonly at: EpochMs
  readonly durationNs?: Ns
  readonly tags: readonly string[]
  readonly attributes: DatadogObject
}

/** One mute; `status` is Datadog's word (active, scheduled, ended, canceled). */
export interface DatadogDowntime {
  readonly id: string
  readonly scope: string
  readonly status: string
  readonly message: string
  readonly monitorId?: string
  readonly monitorTags: readonly string[]
  readonly from?: EpochMs
  readonly to?: EpochMs
}
/**
 * A mute to be made. `scope` is `key:value` terms, commas are read as AND; `*` or nothing mutes everything and is
 * `invalid` without `everything`.
 */
export interface DowntimeDraft {
  readonly scope: string
  readonly monitor: { readonly id: string } | { readonly tags: readonly string[] }
  /** null: until somebody cancels it. */
  readonly to: EpochMs | null
  /** Now when absent. */
  readonly from?: EpochMs
  readonly message?: string
  readonly everything?: true
  /** Makes creation safe to repeat: a live downtime that carries the key is answered instead of a second one. */
  readonly key?: string
}

export interface LogAggregation {
  readonly query: string
  readonly window: TimeWindow
  readonly groupBy?: readonly string[]
  readonly limit: number
  readonly compute?: {
    readonly aggregation:
      | 'count'
      | 'cardinality'
      | 'avg'
      | 'sum'
      | 'min'
      | 'max'
      | 'median'
      | 'pc75'
      | 'pc90'
      | 'pc95'
      | 'pc98'
      | 'pc99'
    readonly metric?: string
    /** `5m` and the like: a value a bucket of time instead of one. */
    readonly interval?: string
  }
}
export interface LogBucket {
  readonly by: Readonly<Record<string, string>>
  readonly value: number | null
  /** Only with an interval; buckets without data are absent. */
  readonly points?: readonly {
    readonly at: EpochMs
    readonly value: number | null
  }[]
}

/** A service of the catalog; `schema` is Datadog's, with its kebab-case keys. */
export interface ServiceDefinition {
  readonly name: string
  readonly schemaVersion: string
  readonly team?: string
  readonly schema: DatadogObject
}

/** One incident of Datadog's incident management; `state` and `severity` are its words. */
export interface DatadogIncident {
  readonly id: string
  readonly number: string
  readonly title: string
  readonly state: string
  readonly severity: string
  readonly services: readonly string[]
  readonly rootCause?: string
  readonly createdAt: EpochMs
  readonly resolvedAt?: EpochMs
}

/** A service level objective; over a window `value` is the share that was good, in percent, null without data. */
export interface DatadogSlo {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly tags: readonly string[]
  readonly query?: string
  readonly monitorIds: readonly string[]
  readonly targets: readonly { readonly timeframe: string; readonly target: number }[]
}
export interface SloHistory {
  readonly value: number | null
  readonly state: string
  /** Why there is no value. */
  readonly errors: readonly string[]
}

/** One thing a browser told of: a view, an action, an error, a resource. */
export interface DatadogRumEvent {
  readonly id: string
  readonly at: EpochMs
  readonly service: string
  readonly tags: readonly string[]
  readonly attributes: DatadogObject
}
