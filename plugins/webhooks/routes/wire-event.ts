import { Type, type Static } from '../../../core/index.ts'
import { Alert, needsAnalysis } from '../contract.ts'
import type { ReadEvent } from '../service/read-events.ts'

const numbers = ['alert_id', 'monitor_id', 'timestamp', 'last_updated', 'org_id'] as const
const texts = [
  'alert_title',
  'alert_message',
  'alert_status',
  'monitor_name',
  'monitor_type',
  'event_type',
  'priority',
  'hostname',
  'service',
  'scope',
  'transition_id',
  'snapshot_url',
  'link',
  'org_name',
  'ALERT_STATE',
  'ALERT_TITLE',
  'APPLICATION_LONGNAME',
  'APPLICATION_TEAM',
  'DETAILED_DESCRIPTION',
  'IMPACT',
  'METRIC',
  'SUPPORT_GROUP',
  'THRESHOLD',
  'VALUE',
  'URGENCY'
] as const

/** An event on the wire: the first version's field names, plus what it became. */
export const Event = Type.Object({
  id: Type.Integer(),
  payload: Type.Object(
    {},
    {
      additionalProperties: true,
      description: "The first version's payload fields, always present, zero-valued when unknown"
    }
  ),
  alert: Alert,
  received_at: Type.String(),
  status: Type.Union([
    Type.Literal('pending'),
    Type.Literal('processing'),
    Type.Literal('processed'),
    Type.Literal('failed'),
    Type.Literal('skipped')
  ]),
  duplicates: Type.Integer({ description: 'How often the same webhook came again' }),
  account_name: Type.Optional(Type.String()),
  incident_id: Type.Optional(Type.Integer()),
  error: Type.Optional(Type.String()),
  rca: Type.Optional(Type.Object({ id: Type.String(), url: Type.String(), status: Type.String() })),
  notebook: Type.Optional(
    Type.Object({ id: Type.String(), url: Type.String(), simulated: Type.Boolean() })
  )
})

const exact = (value: unknown): number | string => {
  const text = String(value ?? '')
  return text === '' ? 0 : Number.isSafeInteger(Number(text)) ? Number(text) : text
}

/** `analysed` says whether some plugin analyses alerts at all, so that an event without a link is still waiting. */
export function toWire(event: ReadEvent, analysed: boolean): Static<typeof Event> {
  const { alert, link } = event
  return {
    id: event.id,
    payload: payloadOf(event),
    alert,
    received_at: event.receivedAt.toISOString(),
    status: statusOf(event, analysed),
    duplicates: event.duplicates,
    ...(event.account === null ? {} : { account_name: event.account }),
    ...(event.incidentId === null ? {} : { incident_id: event.incidentId }),
    ...(link?.rca?.error ? { error: link.rca.error } : {}),
    ...(link?.rca ? { rca: { id: link.rca.id, url: link.rca.url, status: link.rca.status } } : {}),
    ...(link?.notebook ? { notebook: { ...link.notebook } } : {})
  }
}

/** The first version's fields: what was understood, else what was sent. */
function payloadOf({ alert, fields }: ReadEvent): Record<string, unknown> {
  const sent = (name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
  const known: Record<string, unknown> = {
    alert_id: alert.alert_id,
    alert_title: alert.title,
    alert_message: alert.message,
    alert_status: sent('alert_status') ?? alert.status,
    monitor_id: alert.monitor_id,
    monitor_name: alert.monitor_name,
    monitor_type: alert.monitor_type,
    timestamp: alert.at === null ? 0 : Math.floor(alert.at / 1000),
    priority: alert.priority,
    hostname: alert.host,
    service: alert.service,
    scope: alert.scope,
    snapshot_url: alert.snapshot_url,
    link: alert.link,
    org_id: alert.org_id
  }
  return {
    ...Object.fromEntries(numbers.map(name => [name, exact(known[name] ?? sent(name))])),
    ...Object.fromEntries(texts.map(name => [name, String(known[name] ?? sent(name) ?? '')])),
    tags: alert.tags
  }
}

/** The first version's words for how far an analysis is. */
export const stateOfAnalysis = {
  pending: 'pending',
  running: 'processing',
  done: 'processed',
  failed: 'failed',
  // Nobody waits for it any more.
  cancelled: 'processed',
  skipped: 'skipped'
} as const

function statusOf({ alert, link }: ReadEvent, analysed: boolean): Static<typeof Event>['status'] {
  if (link?.rca) return stateOfAnalysis[link.rca.status]
  return analysed && needsAnalysis(alert) ? 'pending' : 'processed'
}
