import type { Alert } from '../../webhooks/contract.ts'

/** A webhook payload as the first version's callers send it: everything may be absent, or of another type. */
export type OldPayload = Readonly<Record<string, unknown>>

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== ''
    ? value.trim().slice(0, 2_000)
    : typeof value === 'number'
      ? String(value)
      : null

const first = (payload: OldPayload, ...names: readonly string[]): string | null => {
  for (const name of names) {
    const text = textOf(payload[name])
    if (text !== null) return text
  }
  return null
}

const tagsOf = (tags: unknown): string[] => {
  const all = typeof tags === 'string' ? tags.split(',') : Array.isArray(tags) ? tags : []
  return all
    .filter(tag => typeof tag === 'string')
    .map(tag => tag.trim().slice(0, 200))
    .filter(Boolean)
    .slice(0, 200)
}

/** The alert of an old payload, with the first version's rules for what is missing; an id is never invented. */
export function alertOfPayload(payload: OldPayload): Alert {
  const described = textOf(payload['DETAILED_DESCRIPTION'])
  const named = /monitors\/(\d{1,19})/.exec(described ?? '')?.[1] ?? null
  const given = first(payload, 'monitor_id', 'monitorId')
  const id = given !== null && /^\d{1,19}$/.test(given) && given !== '0' ? given : named
  const seconds = Number(first(payload, 'timestamp', 'last_updated') ?? Number.NaN)
  return {
    status: 'alert',
    transition: 'triggered',
    firing: true,
    title: first(payload, 'alert_title', 'ALERT_TITLE'),
    message: first(payload, 'alert_message', 'DETAILED_DESCRIPTION'),
    monitor_id: id,
    monitor_name: first(payload, 'monitor_name', 'monitorName', 'ALERT_TITLE', 'alert_title'),
    monitor_type: first(payload, 'monitor_type'),
    alert_id: first(payload, 'alert_id'),
    cycle_key: null,
    aggregation_key: null,
    scope: first(payload, 'scope'),
    service: first(payload, 'service'),
    host: first(payload, 'hostname', 'host'),
    env: first(payload, 'env'),
    metric: first(payload, 'METRIC'),
    query: null,
    priority: first(payload, 'priority', 'URGENCY'),
    tags: tagsOf(payload['tags']),
    org_id: first(payload, 'org_id'),
    link: first(payload, 'link'),
    snapshot_url: first(payload, 'snapshot_url'),
    at: seconds > 0 ? (seconds < 1e11 ? seconds * 1_000 : seconds) : null,
    unresolved: [],
    parse_error: null
  }
}
