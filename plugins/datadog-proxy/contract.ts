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
/** Where Datadog keeps logs; without one, all are tried in this order until one has lines. */
export type LogTier = 'indexes' | 'flex' | 'online-archives'

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

/** The words Datadog takes for a window that ends now; it refuses every other. */
export type LiveSpan =
  | '1m'
  | '5m'
  | '10m'
  | '15m'
  | '30m'
  | '1h'
  | '4h'
  | '1d'
  | '2d'
  | '1w'
  | '1mo'
  | '3mo'
  | '6mo'
  | '1y'
  | 'week_to_date'
  | 'month_to_date'
  | 'alert'
export interface NotebookDraft {
  readonly name: string
  readonly cells: readonly NotebookCell[]
  readonly window: TimeWindow | { readonly live: LiveSpan }
}
export interface NotebookRef {
  readonly id: string
  readonly name: string
  readonly url: string
}
/** A notebook with its cells as Datadog describes them, widgets we cannot write included. */
export interface DatadogNotebook extends NotebookRef {
  readonly cells: readonly {
    readonly id: string
    readonly type: string
    readonly definition: DatadogObject
  }[]
  readonly modifiedAt?: EpochMs
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
/** A mute to be made. `scope` is `key:value` terms, commas are read as AND; `*` or nothing mutes everything and is `invalid` without `everything`. */
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

export interface EventDraft {
  readonly title: string
  readonly text: string
  readonly tags: readonly string[]
  readonly at?: EpochMs
  readonly host?: string
  readonly alertType?: 'error' | 'warning' | 'info' | 'success'
  readonly aggregationKey?: string
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
    /** `5m` and the like: a value a bucket of time instead of one. */ readonly interval?: string
  }
}
export interface LogBucket {
  readonly by: Readonly<Record<string, string>>
  readonly value: number | null
  /** Only with an interval; buckets without data are absent. */ readonly points?: readonly {
    readonly at: EpochMs
    readonly value: number | null
  }[]
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

/** A service of the catalog; `schema` is Datadog's, with its kebab-case keys. */
export interface ServiceDefinition {
  readonly name: string
  readonly schemaVersion: string
  readonly team?: string
  readonly schema: DatadogObject
}
/** A webhook of Datadog; absent `payload` is Datadog's own template. */
export interface DatadogWebhook {
  readonly name: string
  readonly url: string
  readonly payload?: string
  readonly customHeaders?: Readonly<Record<string, string>>
  readonly encodeAs?: 'json' | 'form'
}

interface Slice {
  readonly offset: number
  readonly limit: number
}
interface Search {
  readonly query: string
  readonly window: TimeWindow
  readonly limit: number
  /** `next` of the page before, with the same window. */ readonly cursor?: string
}
/** One page of one kind, for callers that pass Datadog's own objects on. */
export type PageRequest =
  | ({ readonly of: 'downtimes'; readonly currentOnly?: boolean } & Slice)
  | ({
      readonly of: 'hosts'
      readonly filter?: string
      /** Seen since then; two hours ago when absent. */ readonly from?: EpochMs
    } & Slice)
  | {
      readonly of: 'monitors'
      readonly query?: string
      readonly page: number
      readonly limit: number
    }
  | { readonly of: 'monitor'; readonly id: string }
  | ({ readonly of: 'events' } & Search)
  | ({
      readonly of: 'logs'
      readonly sort?: 'oldest' | 'newest'
      readonly indexes?: readonly string[]
      readonly tier?: LogTier
    } & Search)
  | { readonly of: 'services'; readonly page: number; readonly limit: number }
export interface DatadogPage {
  readonly items: readonly DatadogObject[]
  /** How many there are in all, when Datadog says so. */ readonly total?: number
  readonly next?: string
  readonly warnings: readonly string[]
  readonly asked: Asked
}

/** Whether Datadog accepts one key, and what it said. */
export interface KeyCheck {
  readonly name: 'api_key' | 'app_key'
  readonly ok: boolean
  readonly message: string
  readonly failure?: DatadogFailure
}

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
  /** The same with a verdict for each key; throws nothing but an abort. */
  checkKeys(options?: CallOptions): Promise<readonly KeyCheck[]>
  monitor(id: string, options?: CallOptions): Promise<DatadogMonitor>
  /** `widen`: when nothing is found, asks once more with 5 minutes more at both ends, because events are indexed late; `asked` says so. */
  events(
    input: { query: string; window: TimeWindow; limit: number; widen?: boolean },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogEvent>>
  logs(
    input: {
      query: string
      window: TimeWindow
      limit: number
      sort?: 'oldest' | 'newest'
      indexes?: readonly string[]
      tier?: LogTier
    },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogLog>>
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
  notebook(id: string, options?: CallOptions): Promise<DatadogNotebook>
  /** Replaces the name, the window and ALL cells; Datadog has no smaller change. */
  updateNotebook(id: string, draft: NotebookDraft, options?: CallOptions): Promise<NotebookRef>
  downtimes(
    input: { currentOnly?: boolean; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogDowntime>>
  createDowntime(draft: DowntimeDraft, options?: CallOptions): Promise<DatadogDowntime>
  /** One that is gone already is success. */
  cancelDowntime(id: string, options?: CallOptions): Promise<void>
  /** Sent once; Datadog has no way to look for it at once. */
  createEvent(
    draft: EventDraft,
    options?: CallOptions
  ): Promise<{ readonly id: string; readonly url: string }>
  hostTotals(
    input?: { from?: EpochMs },
    options?: CallOptions
  ): Promise<{ readonly up: number; readonly active: number }>
  hostTags(host: string, options?: CallOptions): Promise<readonly string[]>
  /** Tags by host of the whole account in one request; hosts without any are absent. */
  allHostTags(options?: CallOptions): Promise<ReadonlyMap<string, readonly string[]>>
  monitors(
    input: { name?: string; tags?: readonly string[]; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogMonitor>>
  searchMonitors(
    input: { query: string; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<MonitorHit>>
  /** Monitors in Alert or Warn. */
  triggeredMonitors(
    input: { limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<MonitorHit>>
  aggregateLogs(input: LogAggregation, options?: CallOptions): Promise<DatadogRows<LogBucket>>
  spans(
    input: { query: string; window: TimeWindow; limit: number; sort?: 'oldest' | 'newest' },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogSpan>>
  services(input: { limit: number }, options?: CallOptions): Promise<DatadogRows<ServiceDefinition>>
  /** Creates or replaces the definition of `schema['dd-service']`. */
  saveService(schema: DatadogObject, options?: CallOptions): Promise<ServiceDefinition>
  webhook(name: string, options?: CallOptions): Promise<DatadogWebhook | undefined>
  /** Looks first: the same webhook again is success, another one of that name is `conflict`. */
  createWebhook(webhook: DatadogWebhook, options?: CallOptions): Promise<DatadogWebhook>
  updateWebhook(webhook: DatadogWebhook, options?: CallOptions): Promise<DatadogWebhook>
  page(request: PageRequest, options?: CallOptions): Promise<DatadogPage>
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

/** The errors of this plugin; those of `DatadogFailure` begin with `datadog-`. */
export const datadogErrors = defineErrors({
  'account-exists': [409, 'The name or the organisation already belongs to an account.'],
  'account-inactive': [409, 'The account is inactive; activate it first.'],
  'account-is-default': [409, 'The default account stays active; make another one the default.'],
  'account-not-found': [404, 'No account has this name.'],
  'account-simulated': [409, 'The account is simulated, so it is not stored and does not change.'],
  'datadog-conflict': [409, 'Datadog says that what is asked contradicts what it has.'],
  // Its 401 would read as if the caller's own login were wrong.
  'datadog-forbidden': [403, 'Datadog refused the keys of the account, or they lack a permission.'],
  'datadog-garbage': [502, 'Datadog, or something before it, answered what cannot be read.'],
  'datadog-invalid': ['upstream', 'Datadog refused the question; 400, or the 4xx it answered.'],
  'datadog-key-refused': [400, 'The key is empty or has characters that no key has.'],
  'datadog-no-account-answered': ['upstream', 'No account answered; `failures` says why, each.'],
  'datadog-not-found': [404, 'Datadog has nothing under this id.'],
  'datadog-rate-limited': [429, 'The rate limit of Datadog is spent; wait for Retry-After.'],
  'datadog-site-refused': [400, 'The site is none of Datadog that keys may be sent to.'],
  'datadog-timeout': [504, 'Datadog did not answer in time.'],
  'datadog-unavailable': [502, 'Datadog does not answer or has a fault of its own.'],
  'default-account-kept': [
    400,
    'The default account is not deleted; make another one the default.'
  ],
  'private-location-action-unknown': [404, 'A private location has no such action.'],
  'private-location-busy': [409, 'Another action is under way; try again when it is done.'],
  'private-location-failed': [502, 'A step failed; `steps` has what each printed.'],
  'private-location-off': [404, 'The operations of private locations are off in the settings.'],
  'rotation-incomplete': [500, 'A key rotation left an account behind; run it again.'],
  'rotation-running': [409, 'Another process rotates the keys just now.'],
  'secret-exposed': [500, 'Others can read the file of the key that seals the secrets.'],
  'secret-unreadable': [500, 'A stored secret or its key cannot be read.']
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
