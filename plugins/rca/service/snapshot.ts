import type {
  DatadogEvent,
  DatadogFailure,
  DatadogHost,
  DatadogLog,
  DatadogMonitor,
  DatadogObject,
  DatadogSeries,
  DatadogSpan,
  TimeWindow
} from '../../datadog-proxy/contract.ts'

/**
 * One read as it was asked and answered; `rows` are those of this contract, `failure` stands where Datadog gave none.
 */
export type SnapshotCall = {
  readonly failure?: {
    readonly kind: DatadogFailure
    readonly status: number
    readonly message: string
  }
  readonly truncated?: boolean
  readonly warnings?: readonly string[]
} & (
  | {
      readonly call: 'monitor'
      readonly input: { readonly id: string }
      readonly rows: readonly DatadogMonitor[]
    }
  | {
      readonly call: 'metric'
      readonly input: { readonly query: string; readonly window: TimeWindow }
      readonly rows: readonly DatadogSeries[]
    }
  | {
      readonly call: 'events'
      readonly input: {
        readonly query: string
        readonly window: TimeWindow
        readonly limit: number
      }
      readonly rows: readonly DatadogEvent[]
    }
  | {
      readonly call: 'logs'
      readonly input: {
        readonly query: string
        readonly window: TimeWindow
        readonly limit: number
      }
      readonly rows: readonly DatadogLog[]
    }
  | {
      readonly call: 'spans'
      readonly input: {
        readonly query: string
        readonly window: TimeWindow
        readonly limit: number
      }
      readonly rows: readonly DatadogSpan[]
    }
  | {
      readonly call: 'hosts'
      readonly input: { readonly filter: string; readonly limit: number }
      readonly rows: readonly DatadogHost[]
    }
)

/**
 * What one analysis read of an account: written by `rayne record`, replayed by the simulator, described by
 * simulator/world/world-file.schema.json.
 */
export interface DatadogSnapshot {
  readonly format: 'rayne-world'
  readonly version: 1
  readonly recorded_at: string
  readonly account: { readonly name: string; readonly site: string; readonly simulated: boolean }
  readonly window: { readonly from: string; readonly to: string }
  /** The webhook that starts the analysis. */
  readonly alert: DatadogObject
  readonly redacted: { readonly emails: number; readonly addresses: number; readonly hosts: number }
  readonly calls: readonly SnapshotCall[]
}
