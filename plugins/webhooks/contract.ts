import {
  createToken,
  defineErrors,
  defineEvent,
  invalid,
  Type,
  type Knex,
  type Static
} from '../../core/index.ts'

const text = Type.Union([Type.String(), Type.Null()])

/** One alert after normalisation; absent facts are null, never invented. */
export const Alert = Type.Object({
  /** After normalisation one of alert, warn, no_data, ok; unknown words stay as sent. */
  status: Type.String(),
  /** triggered, re-triggered, recovered, renotify, no_data, warn, …; unknown words stay as sent. */
  transition: Type.String(),
  /** False only for a recovery: unknown words count as triggered. */
  firing: Type.Boolean(),
  title: text,
  message: text,
  /** Decimal digits, kept as text because ids exceed 2^53. */
  monitor_id: text,
  monitor_name: text,
  monitor_type: text,
  alert_id: text,
  cycle_key: text,
  aggregation_key: text,
  scope: text,
  service: text,
  host: text,
  env: text,
  metric: text,
  query: text,
  priority: text,
  tags: Type.Array(Type.String()),
  org_id: text,
  link: text,
  snapshot_url: text,
  /** The event's own time in epoch milliseconds, null when the payload has none. */
  at: Type.Union([Type.Number(), Type.Null()]),
  /** Template variables that arrived unresolved, e.g. `$ALERT_ID`. */
  unresolved: Type.Array(Type.String()),
  /** Why the body was not plain JSON, or null. */
  parse_error: text
})
export type Alert = Static<typeof Alert>

/**
 * What one problem is, of an account: its monitor by id, name or title, and the place it fires at. Both null when an
 * alert says nothing of it. The one notion of it there is.
 */
export function problemOf(
  alert: Pick<Alert, 'monitor_id' | 'monitor_name' | 'title' | 'scope' | 'host' | 'aggregation_key'>
): { readonly monitor: string | null; readonly place: string | null } {
  const monitor =
    alert.monitor_id ??
    alert.monitor_name ??
    alert.title?.replace(/^(?:\s?\[[^\]]{1,200}\])+\s?/, '') ??
    null
  if (monitor === null) return { monitor: null, place: null }
  return { monitor, place: alert.scope ?? alert.host ?? alert.aggregation_key }
}

/** A firing alert or warning is analysed; a recovery or missing data is not. */
export const needsAnalysis = (alert: Alert): boolean =>
  alert.firing && alert.status !== 'ok' && alert.status !== 'no_data'

/** A stored webhook that is not a duplicate; committed together with its event row. */
export const AlertReceived = defineEvent(
  'webhooks.alert-received',
  Type.Object({
    event_id: Type.Integer(),
    account: text,
    received_at: Type.Number(),
    alert: Alert
  })
)
export type AlertReceived = Static<typeof AlertReceived.payload>

/** How far the analysis of an event is. */
export type AnalysisOfEvent = 'pending' | 'running' | 'done' | 'failed' | 'cancelled' | 'skipped'

/** Events that are too old are gone; told in the transaction that deletes them. */
export const EventsDeleted = defineEvent(
  'webhooks.events-deleted',
  Type.Object({ event_ids: Type.Array(Type.Integer()) })
)

/** What became of an event: filled by the plugin that analyses. */
export interface EventLink {
  readonly rca?: {
    readonly id: string
    readonly url: string
    readonly status: AnalysisOfEvent
    readonly error: string | null
  }
  readonly notebook?: { readonly id: string; readonly url: string; readonly simulated: boolean }
}
export interface EventLinks {
  of(eventIds: readonly number[]): Promise<ReadonlyMap<number, EventLink>>
  /** Analyses at once in one process. */
  readonly maxConcurrent: number
  /** How many events have an analysis of each status. */
  counts(): Promise<ReadonlyMap<AnalysisOfEvent, number>>
}
/** Provided by rca; webhooks only wants it. */
export const EventLinksToken = createToken<EventLinks>('rca.event-links')

/** An incident whose alerts have been gathered: it is analysed and told of once. */
export const IncidentSettled = defineEvent(
  'webhooks.incident-settled',
  Type.Object({
    incident_id: Type.Integer(),
    /** The alert that stands for it. */
    event_id: Type.Integer(),
    account: text,
    received_at: Type.Number(),
    alert: Alert
  })
)
export type IncidentSettled = Static<typeof IncidentSettled.payload>

/** Something became of an incident, committed with it; what it is like now is for `IncidentsToken` to say. */
export const IncidentChanged = defineEvent(
  'webhooks.incident-changed',
  Type.Object({
    incident_id: Type.Integer(),
    change: Type.Enum([
      'joined',
      'rose',
      'closed',
      'reopened',
      'acknowledged',
      'assigned',
      'noted',
      'split'
    ]),
    revision: Type.Integer()
  })
)
export type IncidentChanged = Static<typeof IncidentChanged.payload>

/** A config wants an event forwarded to an address, as it came or signed; whoever can send takes it. */
export const ForwardDue = defineEvent(
  'webhooks.forward-due',
  Type.Object({
    config_id: Type.Integer(),
    event_id: Type.Integer(),
    url: Type.String(),
    format: Type.Enum(['signed', 'raw'])
  })
)
export type ForwardDue = Static<typeof ForwardDue.payload>

/** One problem while it lasts; times are epoch milliseconds. */
export interface Incident {
  readonly id: number
  readonly account: string | null
  readonly state: 'open' | 'closed' | 'merged'
  /** The worst of what fires, or did: alert, warn, no_data or ok. */
  readonly status: string
  readonly title: string
  /** The alert that stands for it, and is analysed. */
  readonly eventId: number
  readonly monitorId: string | null
  readonly service: string | null
  readonly host: string | null
  readonly env: string | null
  readonly openedAt: number
  readonly changedAt: number
  /** When its alerts are gathered; null when none of them wants an analysis. */
  readonly settlesAt: number | null
  readonly settledAt: number | null
  readonly closedAt: number | null
  readonly closedBy: string | null
  readonly acknowledgedAt: number | null
  readonly acknowledgedBy: string | null
  readonly assignedTo: string | null
  readonly flaps: number
  readonly revision: number
  readonly mergedInto: number | null
  /** Where the storm rule would have put it, were it not only watched. */
  readonly wouldMerge: { readonly incidentId: number; readonly why: string } | null
  readonly members: number
  readonly firing: number
  readonly occurrences: number
}
export type ToldIncident = Incident & { readonly received: AlertReceived }
/** What other plugins ask of incidents. */
export interface Incidents {
  /** With the alert that stands for it; read within a transaction if need be. */
  find(id: number, within?: Knex): Promise<ToldIncident | undefined>
  /** The incidents that events are part of. */
  ofEvents(eventIds: readonly number[], within?: Knex): Promise<ReadonlyMap<number, number>>
  /** Seconds in which alerts are gathered where no setting says it. */
  gatherFor(seconds: number): void
}
export const IncidentsToken = createToken<Incidents>('webhooks.incidents')

/** Puts a webhook through the same door as a sender's, without HTTP (the demo's first alert). */
export interface Webhooks {
  receive(input: {
    readonly raw: Uint8Array
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
    readonly account?: string
  }): Promise<Receipt>
  /**
   * Stores webhooks of the past at their own times; they start nothing, and one that is there already stays as it
   * is. Returns how many are new.
   */
  storePast(alerts: readonly PastAlert[]): Promise<number>
  /** The bytes of an event as they came and the type they said to be of; undefined when it is gone. */
  body(eventId: number): Promise<{ readonly raw: Buffer; readonly contentType: string } | undefined>
  /** Counts of all that was received; `waiting` names at most `limit` of the newest that want an analysis. */
  counts(limit: number): Promise<EventCounts>
}
/** A webhook of the past; `key` is a UUID that tells it from all others. */
export interface PastAlert {
  readonly key: string
  readonly receivedAt: Date
  readonly body: Readonly<Record<string, unknown>>
}
export interface EventCounts {
  readonly total: number
  readonly lastDay: number
  readonly byAlertStatus: Readonly<Record<string, number>>
  readonly waiting: readonly number[]
  readonly settled: number
}
export interface Receipt {
  readonly eventId: number
  readonly duplicate: boolean
  readonly account: string | null
}
export const WebhooksToken = createToken<Webhooks>('webhooks.receiver')

/** The errors of this plugin. */
export const webhooksErrors = defineErrors({
  'event-not-found': [404, 'No event has this id.'],
  'config-not-found': [404, 'No webhook config has this id.'],
  'config-name-taken': [409, 'Another webhook config has this name.'],
  'incident-not-found': [404, 'No incident has this id.'],
  'incident-unfit': [409, 'The incident is not in a state in which this can be done.'],
  'file-unreadable': [400, 'The file that `rayne receive` was given cannot be read.'],
  'server-refused': ['upstream', 'The server that a command called refused.'],
  'server-unreachable': [502, 'No server answers where a command was told to call.']
})

/** The address that a command's `--url` names, without a slash at its end; a missing scheme is http. */
export function serverAddress(given: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
    throw invalid('--url', `takes the address of a server, as localhost:8080, not '${given}'`)
  return url.href.replace(/(?<!\/)\/+$/, '')
}
