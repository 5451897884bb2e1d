import { createToken, defineEvent, Type, type Static } from '../../core/index.ts'

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

/** A stored webhook that is not a duplicate; committed together with its event row. */
export const AlertReceived = defineEvent('webhooks.alert-received', Type.Object({
  event_id: Type.Integer(),
  account: text,
  received_at: Type.Number(),
  alert: Alert
}))
export type AlertReceived = Static<typeof AlertReceived.payload>

/** What other plugins may add to the answer of `GET /v1/webhooks/events/{id}`. */
export interface EventLink { readonly rca?: { readonly id: string; readonly url: string; readonly status: string }; readonly notebook?: { readonly id: string; readonly url: string; readonly simulated: boolean } }
export interface EventLinks { of(eventId: number): Promise<EventLink | undefined> }
/** Provided by rca; webhooks only wants it. */
export const EventLinksToken = createToken<EventLinks>('rca.event-links')
