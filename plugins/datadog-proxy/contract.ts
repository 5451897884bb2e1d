import {
  createToken,
  defineErrors,
  RayneError,
  type EpochMs,
  type EpochSeconds,
  type Ns
} from '../../core/index.ts'

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

/** Typed calls against one account; every method throws DatadogError and nothing else but an abort. */
export interface DatadogAccount {
  readonly name: string
  readonly site: string
  /** True when the account is the built-in simulator: everything shown must say so. */
  readonly simulated: boolean
  /** Base of links for people, e.g. `https://app.datadoghq.eu`. */
  readonly appUrl: string
  monitor(id: string, options?: CallOptions): Promise<DatadogMonitor>
  searchMonitors(
    input: { query: string; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<MonitorHit>>
  events(
    input: { query: string; window: TimeWindow; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogEvent>>
  logs(
    input: { query: string; window: TimeWindow; limit: number; sort?: 'oldest' | 'newest' },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogLog>>
  spans(
    input: { query: string; window: TimeWindow; limit: number; sort?: 'oldest' | 'newest' },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogSpan>>
  hosts(
    input: { filter: string; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogHost>>
  metric(
    input: { query: string; window: TimeWindow },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogSeries>>
  createNotebook(draft: NotebookDraft, options?: CallOptions): Promise<NotebookRef>
  /** The newest notebook whose name contains `text` literally, or undefined; makes creation safe to repeat. */
  findNotebook(text: string, options?: CallOptions): Promise<NotebookRef | undefined>
  notebook(id: string, options?: CallOptions): Promise<NotebookContent>
  /** Replaces the name, the window and ALL cells; Datadog has no smaller change. */
  updateNotebook(id: string, draft: NotebookDraft, options?: CallOptions): Promise<NotebookRef>
  /** Sent once; Datadog has no way to look for it at once. */
  createEvent(draft: EventDraft, options?: CallOptions): Promise<{ readonly url: string }>
}

export interface DatadogService {
  /** By name; the default account when omitted. Throws `account-not-found` (404). */
  account(name?: string): Promise<DatadogAccount>
  /** By Datadog organisation id; undefined when none has it. */
  accountOfOrg(orgId: string): Promise<DatadogAccount | undefined>
  list(): Promise<
    readonly {
      readonly name: string
      readonly site: string
      readonly simulated: boolean
      readonly isDefault: boolean
    }[]
  >
}

export const DatadogToken = createToken<DatadogService>('datadog.client')

/** A stand-in for Datadog on this machine: `baseUrl` must be loopback, so no key can leave it. */
export interface SimulatedAccount {
  readonly name: string
  readonly baseUrl: string
  readonly appUrl: string
  readonly apiKey: string
  readonly appKey: string
  readonly orgId?: string
}
/** Lets another plugin register a simulator it runs; everything such an account answers is marked `simulated`. */
export interface SimulatedAccounts {
  add(account: SimulatedAccount): void
}
export const SimulatedAccountsToken = createToken<SimulatedAccounts>('datadog.simulated-accounts')
/** The keys that seal stored secrets; `rayne secrets rotate` calls it. */
export interface Secrets {
  /** Seals everything anew under a new key and drops the old ones; safe to repeat, also after a crash in the middle. */
  rotate(): Promise<{ readonly resealed: number }>
}
export const SecretsToken = createToken<Secrets>('core.secrets')
/** Why a Datadog call failed, in the words the report shows. */
export type DatadogFailure =
  | 'forbidden'
  | 'not_found'
  | 'invalid'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'garbage'
  | 'conflict'

/** How each `DatadogFailure` is answered. */
export const datadogErrors = defineErrors({
  'datadog-conflict': [409, 'Datadog says that what is asked contradicts what it has.'],
  // Its 401 would read as if the caller's own login were wrong.
  'datadog-forbidden': [403, 'Datadog refused the keys of the account, or they lack a permission.'],
  'datadog-garbage': [502, 'Datadog, or something before it, answered what cannot be read.'],
  'datadog-invalid': ['upstream', 'Datadog refused the question; 400, or the 4xx it answered.'],
  'datadog-not-found': [404, 'Datadog has nothing under this id.'],
  'datadog-rate-limited': [429, 'The rate limit of Datadog is spent; wait for Retry-After.'],
  'datadog-timeout': [504, 'Datadog did not answer in time.'],
  'datadog-unavailable': [502, 'Datadog does not answer or has a fault of its own.']
})

const kindOf = {
  forbidden: datadogErrors['datadog-forbidden'],
  not_found: datadogErrors['datadog-not-found'],
  conflict: datadogErrors['datadog-conflict'],
  rate_limited: datadogErrors['datadog-rate-limited'],
  unavailable: datadogErrors['datadog-unavailable'],
  garbage: datadogErrors['datadog-garbage'],
  timeout: datadogErrors['datadog-timeout']
} as const

/** A failed Datadog call; `datadogStatus` is what Datadog answered, when it answered. */
export class DatadogError extends RayneError {
  readonly failure: DatadogFailure
  readonly datadogStatus: number | undefined
  constructor(
    failure: DatadogFailure,
    message: string,
    about: { datadogStatus?: number; retryAfterSeconds?: number; cause?: unknown } = {}
  ) {
    const { datadogStatus, retryAfterSeconds, cause } = about
    const details = {
      ...(datadogStatus === undefined ? {} : { datadog_status: datadogStatus }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
    }
    if (failure === 'invalid') {
      // A 4xx of Datadog's own, such as 422, is passed on as it is.
      const status = datadogStatus !== undefined && datadogStatus >= 400 ? datadogStatus : 400
      super({ code: datadogErrors['datadog-invalid'], status, message, details, cause })
    } else super({ code: kindOf[failure], message, details, cause })
    this.name = 'DatadogError'
    this.failure = failure
    this.datadogStatus = datadogStatus
  }
}

const passing: readonly DatadogFailure[] = ['rate_limited', 'unavailable', 'timeout', 'garbage']
/** Whether the same call may succeed later: the failure is of the moment, not of what was asked. */
export const mayPass = (error: DatadogError): boolean => passing.includes(error.failure)
