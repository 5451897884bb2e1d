/** What a fault does to an answer. */
export type FaultType =
  | '429'
  | '5xx'
  | 'timeout'
  | 'slow'
  | 'reset'
  | 'malformed'
  | 'schema'
  | 'partial'
  | 'auth'
  | 'consistency'
  | 'skew'
/** What happens then; `applied` lets the request take effect although its answer is lost. */
export interface FaultThen {
  readonly type: FaultType
  readonly body?: string
  readonly status?: number
  readonly reset?: number | string | null
  readonly retry_after?: number | string
  readonly ms?: number
  readonly drip?: { readonly bytes: number; readonly every_ms: number }
  readonly applied?: boolean
}
/** An answer as it is sent. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
