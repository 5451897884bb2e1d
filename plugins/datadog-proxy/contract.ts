import { createToken, RayneError, type EpochMs, type EpochSeconds } from '../../core/index.ts'

/** An absolute window, both ends inclusive as Datadog reads them. */
export interface TimeWindow { readonly from: EpochMs; readonly to: EpochMs }

/** Bounds of one call: it ends at the signal or after `timeoutMs` (default 30 s), whichever is first. */
export interface CallOptions { readonly signal?: AbortSignal; readonly timeoutMs?: number }

/**
 * Rows of one read. An empty `rows` always means that Datadog answered "none" for `asked`:
 * every failure is a thrown DatadogError instead.
 */
export interface DatadogRows<T> {
  readonly rows: readonly T[]
  /** More rows exist than the limit allowed. */
  readonly truncated: boolean
  /** Why the answer may be incomplete (Datadog's time-out status, warnings, dropped rows). */
  readonly warnings: readonly string[]
  /** What was asked, in words a person can paste into Datadog. */
  readonly asked: { readonly query: string; readonly from?: string; readonly to?: string; readonly limit: number }
}

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
export interface NotebookRef { readonly id: string; readonly name: string; readonly url: string }

/** Typed calls against one account; every method throws DatadogError and nothing else but an abort. */
export interface DatadogAccount {
  readonly name: string
  readonly site: string
  /** True when the account is the built-in simulator: everything shown must say so. */
  readonly simulated: boolean
  /** Base of links for people, e.g. `https://app.datadoghq.eu`. */
  readonly appUrl: string
  /** Checks both keys: the API key, then a call that needs the application key. */
  validate(options?: CallOptions): Promise<void>
  monitor(id: string, options?: CallOptions): Promise<DatadogMonitor>
  events(input: { query: string; window: TimeWindow; limit: number }, options?: CallOptions): Promise<DatadogRows<DatadogEvent>>
  logs(input: { query: string; window: TimeWindow; limit: number; sort?: 'oldest' | 'newest' }, options?: CallOptions): Promise<DatadogRows<DatadogLog>>
  hosts(input: { filter: string; limit: number }, options?: CallOptions): Promise<DatadogRows<DatadogHost>>
  metric(input: { query: string; window: TimeWindow }, options?: CallOptions): Promise<DatadogRows<DatadogSeries>>
  createNotebook(draft: NotebookDraft, options?: CallOptions): Promise<NotebookRef>
  /** The newest notebook whose name contains `text` literally, or undefined; makes creation safe to repeat. */
  findNotebook(text: string, options?: CallOptions): Promise<NotebookRef | undefined>
}

export interface DatadogService {
  /** By name; the default account when omitted. Throws `account-not-found` (404). */
  account(name?: string): Promise<DatadogAccount>
  /** By Datadog organisation id; undefined when none has it. */
  accountOfOrg(orgId: string): Promise<DatadogAccount | undefined>
  list(): Promise<readonly { readonly name: string; readonly site: string; readonly simulated: boolean; readonly isDefault: boolean }[]>
}

export const DatadogToken = createToken<DatadogService>('datadog.client')

/** A stand-in for Datadog on this machine: `baseUrl` must be loopback, so no key can leave it. */
export interface SimulatedAccount { readonly name: string; readonly baseUrl: string; readonly appUrl: string; readonly apiKey: string; readonly appKey: string; readonly orgId?: string }
/** Lets another plugin register a simulator it runs; everything such an account answers is marked `simulated`. */
export interface SimulatedAccounts { add(account: SimulatedAccount): void }
export const SimulatedAccountsToken = createToken<SimulatedAccounts>('datadog.simulated-accounts')
/** Why a Datadog call failed, in the words the report shows. */
export type DatadogFailure = 'forbidden' | 'not_found' | 'invalid' | 'rate_limited' | 'unavailable' | 'timeout' | 'garbage' | 'conflict'

const statusOf: Record<DatadogFailure, number> = { forbidden: 403, not_found: 404, invalid: 400, conflict: 409, rate_limited: 429, unavailable: 502, garbage: 502, timeout: 504 }

/** A failed Datadog call; `datadogStatus` is what Datadog answered, when it answered. */
export class DatadogError extends RayneError {
  readonly failure: DatadogFailure
  readonly datadogStatus: number | undefined
  constructor(failure: DatadogFailure, message: string, details: { datadogStatus?: number; retryAfter?: number } = {}, options?: ErrorOptions) {
    super(`datadog-${failure.replace('_', '-')}`, statusOf[failure], message, details.retryAfter === undefined ? {} : { retryAfter: details.retryAfter }, options)
    this.name = 'DatadogError'
    this.failure = failure
    this.datadogStatus = details.datadogStatus
  }
}
