import { createToken, defineErrors, RayneError, type EpochMs } from '../../core/index.ts'
import type {
  CallOptions,
  DatadogDowntime,
  DatadogEvent,
  DatadogHost,
  DatadogIncident,
  DatadogLog,
  DatadogMonitor,
  DatadogRows,
  DatadogRumEvent,
  DatadogSeries,
  DatadogSlo,
  DatadogSpan,
  DowntimeDraft,
  EventDraft,
  LogAggregation,
  LogBucket,
  MonitorHit,
  NotebookContent,
  NotebookDraft,
  NotebookRef,
  ServiceDefinition,
  SloHistory,
  TimeWindow
} from './contract-rows.ts'

export type * from './contract-rows.ts'

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
  aggregateLogs(input: LogAggregation, options?: CallOptions): Promise<DatadogRows<LogBucket>>
  rumEvents(
    input: { query: string; window: TimeWindow; limit: number; sort?: 'oldest' | 'newest' },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogRumEvent>>
  services(input: { limit: number }, options?: CallOptions): Promise<DatadogRows<ServiceDefinition>>
  /** `query` in the words of Datadog's incident search, e.g. `state:active`. */
  incidents(
    input: { query: string; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogIncident>>
  slos(
    input: { query: string; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogSlo>>
  sloHistory(input: { id: string; window: TimeWindow }, options?: CallOptions): Promise<SloHistory>
  /** What Datadog answers to a GET of its list of readable paths; another is `invalid`. */
  get(
    input: { path: string; query: Readonly<Record<string, string>> },
    options?: CallOptions
  ): Promise<unknown>
  downtimes(
    input: { currentOnly?: boolean; limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<DatadogDowntime>>
  createDowntime(draft: DowntimeDraft, options?: CallOptions): Promise<DatadogDowntime>
  /** One that is gone already is success. */
  cancelDowntime(id: string, options?: CallOptions): Promise<void>
  /** Until `to`; one that is muted already is muted until then. */
  muteHost(
    input: { host: string; to: EpochMs; message: string },
    options?: CallOptions
  ): Promise<void>
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
