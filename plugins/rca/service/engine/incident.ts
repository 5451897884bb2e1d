import type { Series } from './change-points.ts'

/** A line of a log, or a template of many; `id` is what a claim cites. */
export interface LogSign {
  readonly id?: string
  readonly at: number
  readonly service: string
  readonly severity: 'error' | 'warn' | 'info'
  readonly text: string
  /** The version of the service that wrote it, where it says so. */
  readonly version?: string
  /** A stack trace or whatever else the line carries as text. */
  readonly detail?: string
}
/** A template with its count in the incident and how much that is above what is usual. */
export interface PatternSign {
  readonly id?: string
  readonly service: string
  readonly text: string
  readonly count: number
  readonly delta: number
  /** What the log store says of it; undefined when it says nothing. */
  readonly isBad?: boolean
}
export interface MetricSign {
  readonly id?: string
  readonly service: string
  readonly name: string
  readonly series: Series
}
export interface SpanSign {
  readonly id?: string
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | null
  readonly service: string
  readonly name: string
  readonly at: number
  readonly durationMs: number
  readonly isError: boolean
  readonly error?: string
}

/** Something that somebody changed; times are epoch ms. */
export interface Change {
  readonly id: string
  readonly kind: 'commit' | 'deploy' | 'flag' | 'config'
  /** When it was made; when it took effect, the rollouts say. */
  readonly at: number
  readonly service?: string
  /** What a deploy brought. */
  readonly version?: string
  readonly env?: string
  readonly message: string
  readonly files: readonly string[]
  readonly diff: string | null
  /** Deploys that are known to have carried it. */
  readonly rollouts: readonly Rollout[]
}
export interface Rollout {
  readonly at: number
  readonly service: string
}

/** Everything the engine may look at; each part may be empty. */
export interface Incident {
  readonly alert: {
    readonly id?: string
    readonly service: string
    readonly metric?: string
    readonly env?: string
    readonly text: string
    readonly at: number
  }
  readonly logs: readonly LogSign[]
  /** Since when the logs were looked through, epoch ms; the first line when absent. */
  readonly logsFrom?: number
  readonly patterns: readonly PatternSign[]
  readonly metrics: readonly MetricSign[]
  readonly spans: readonly SpanSign[]
  readonly changes: readonly Change[]
  /** Deploys of any commit: what an undeployed commit of a shared library may have travelled with. */
  readonly deploys: readonly Rollout[]
}
