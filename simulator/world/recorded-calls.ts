/**
 * A recorded world as `rayne record` writes it, in the words of `world-file.schema.json`, which every file is
 * checked against; times inside calls are epoch ms.
 */
export interface RecordedCalls {
  readonly format: 'rayne-world'
  readonly version: 1
  readonly recorded_at: string
  readonly account: { readonly name: string; readonly site: string; readonly simulated?: boolean }
  readonly window: { readonly from: string; readonly to: string }
  /** The webhook that starts the analysis. */
  readonly alert: Readonly<Record<string, unknown>>
  readonly calls: readonly RecordedCall[]
}

/** One read as it was asked and answered; `failure` stands where Datadog gave no rows. */
export type RecordedCall = MonitorCall | MetricCall | EventsCall | LogsCall | SpansCall | HostsCall

interface Answered {
  readonly failure?: { readonly kind: string; readonly status: number; readonly message: string }
  readonly truncated?: boolean
  readonly warnings?: readonly string[]
}
export interface MonitorCall extends Answered {
  readonly call: 'monitor'
  readonly input: { readonly id: string }
  readonly rows: readonly RecordedMonitor[]
}
export interface MetricCall extends Answered {
  readonly call: 'metric'
  readonly input: { readonly query: string }
  readonly rows: readonly RecordedSeries[]
}
export interface EventsCall extends Answered {
  readonly call: 'events'
  readonly input: { readonly query: string }
  readonly rows: readonly RecordedEvent[]
}
export interface LogsCall extends Answered {
  readonly call: 'logs'
  readonly input: { readonly query: string }
  readonly rows: readonly RecordedLog[]
}
export interface SpansCall extends Answered {
  readonly call: 'spans'
  readonly input: { readonly query: string }
  readonly rows: readonly RecordedSpan[]
}
export interface HostsCall extends Answered {
  readonly call: 'hosts'
  readonly input: { readonly filter: string }
  readonly rows: readonly RecordedHost[]
}

export interface RecordedMonitor {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly query: string
  readonly message?: string
  readonly tags: readonly string[]
  readonly state: string
  readonly thresholds?: Readonly<Record<string, number>>
  readonly priority?: number | null
  readonly createdAt?: number
}
export interface RecordedSeries {
  readonly metric: string
  readonly scope: string
  readonly intervalSeconds: number
  readonly points: readonly { readonly at: number; readonly value: number | null }[]
}
export interface RecordedEvent {
  readonly id: string
  readonly at: number
  readonly title: string
  readonly message?: string
  readonly tags: readonly string[]
  readonly source?: string
  readonly service?: string
  readonly host?: string
  readonly status?: string
}
export interface RecordedLog {
  readonly id: string
  readonly at: number
  readonly status: string
  readonly message: string
  readonly host?: string
  readonly service?: string
  readonly tags: readonly string[]
  readonly attributes?: Readonly<Record<string, unknown>>
}
export interface RecordedSpan {
  readonly id: string
  readonly at: number
  readonly traceId: string
  readonly spanId: string
  readonly parentId?: string
  readonly service: string
  readonly resource: string
  readonly operation?: string
  readonly env?: string
  readonly host?: string
  readonly status?: string
  readonly durationNs?: number
  readonly tags: readonly string[]
  readonly attributes?: Readonly<Record<string, unknown>>
}
export interface RecordedHost {
  readonly name: string
  readonly up?: boolean
  readonly muted?: boolean
  readonly apps?: readonly string[]
  readonly sources?: readonly string[]
  readonly tags?: readonly string[]
  readonly lastReported?: number
  readonly metrics?: Readonly<Record<string, number>>
}
