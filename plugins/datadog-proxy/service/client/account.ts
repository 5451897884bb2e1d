import type { EpochMs } from '../../../../core/index.ts'
import type {
  Asked,
  CallOptions,
  DatadogAccount,
  DatadogEvent,
  DatadogFailure,
  DatadogLog,
  DatadogMonitor,
  DatadogObject,
  DatadogRows,
  MonitorHit,
  ServiceDefinition,
  EventDraft,
  NotebookDraft,
  NotebookRef,
  TimeWindow
} from '../../contract.ts'

/** Where Datadog keeps logs; without one, all are tried in this order until one has lines. */
export type LogTier = 'indexes' | 'flex' | 'online-archives'

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

/** A notebook to be written, also one whose window moves with the time. */
export type NotebookBody = Omit<NotebookDraft, 'window'> & {
  readonly window: TimeWindow | { readonly live: LiveSpan }
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

/** An event with all that can be said of one. */
export interface FullEventDraft extends EventDraft {
  readonly at?: EpochMs
  readonly host?: string
  readonly aggregationKey?: string
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
  /** `next` of the page before, with the same window. */
  readonly cursor?: string
}
/** One page of one kind, for callers that pass Datadog's own objects on. */
export type PageRequest =
  | ({ readonly of: 'downtimes'; readonly currentOnly?: boolean } & Slice)
  | ({
      readonly of: 'hosts'
      readonly filter?: string
      /** Seen since then; two hours ago when absent. */
      readonly from?: EpochMs
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
  /** How many there are in all, when Datadog says so. */
  readonly total?: number
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

/** Everything that can be asked of one account: the contract's calls and those only this plugin makes. */
export interface OpenAccount extends DatadogAccount {
  /** Checks both keys: the API key, then a call that needs the application key. */
  validate(options?: CallOptions): Promise<void>
  /** The same with a verdict for each key; throws nothing but an abort. */
  checkKeys(options?: CallOptions): Promise<readonly KeyCheck[]>
  /** `widen`: when nothing is found, asks once more with 5 minutes more at both ends; events are indexed late. */
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
  createNotebook(draft: NotebookBody, options?: CallOptions): Promise<NotebookRef>
  notebook(id: string, options?: CallOptions): Promise<DatadogNotebook>
  /** Replaces the name, the window and ALL cells; Datadog has no smaller change. */
  updateNotebook(id: string, draft: NotebookBody, options?: CallOptions): Promise<NotebookRef>
  /** Sent once; Datadog has no way to look for it at once. */
  createEvent(
    draft: FullEventDraft,
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
  /** Monitors in Alert or Warn. */
  triggeredMonitors(
    input: { limit: number },
    options?: CallOptions
  ): Promise<DatadogRows<MonitorHit>>
  /** Creates or replaces the definition of `schema['dd-service']`. */
  saveService(schema: DatadogObject, options?: CallOptions): Promise<ServiceDefinition>
  webhook(name: string, options?: CallOptions): Promise<DatadogWebhook | undefined>
  /** Looks first: the same webhook again is success, another one of that name is `conflict`. */
  createWebhook(webhook: DatadogWebhook, options?: CallOptions): Promise<DatadogWebhook>
  updateWebhook(webhook: DatadogWebhook, options?: CallOptions): Promise<DatadogWebhook>
  page(request: PageRequest, options?: CallOptions): Promise<DatadogPage>
}
