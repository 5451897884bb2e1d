import { Type, type Static } from '../../../core/index.ts'
import type { EventLink, Incident } from '../contract.ts'
import type { Member } from '../store/member-rows.ts'
import type { LogEntry } from '../store/incidents.ts'

const text = Type.Union([Type.String(), Type.Null()])

/** An incident on the wire. */
export const IncidentBody = Type.Object({
  id: Type.Integer(),
  state: Type.String({ description: 'open, closed, or merged into another one' }),
  status: Type.String({ description: 'the worst of what fires, or did: alert, warn, no_data' }),
  title: Type.String(),
  account: text,
  monitor_id: text,
  service: text,
  host: text,
  env: text,
  event_id: Type.Integer({ description: 'the alert that stands for it and is analysed' }),
  member_count: Type.Integer(),
  firing_count: Type.Integer({ description: 'how many of its members fire' }),
  occurrences: Type.Integer({ description: 'how many alerts and recoveries came' }),
  flaps: Type.Integer({ description: 'how often something of it fired again after it was over' }),
  opened_at: Type.String(),
  changed_at: Type.String(),
  settles_at: text,
  settled_at: text,
  closed_at: text,
  closed_by: text,
  acknowledged_at: text,
  acknowledged_by: text,
  assigned_to: text,
  merged_into: Type.Union([Type.Integer(), Type.Null()]),
  would_merge: Type.Union([
    Type.Object({ incident_id: Type.Integer(), why: Type.String() }),
    Type.Null()
  ]),
  rca: Type.Optional(Type.Object({ id: Type.String(), url: Type.String(), status: Type.String() })),
  notebook: Type.Optional(
    Type.Object({ id: Type.String(), url: Type.String(), simulated: Type.Boolean() })
  )
})

/** A monitor and scope that is part of an incident, and why. */
export const MemberBody = Type.Object({
  id: Type.Integer(),
  title: Type.String(),
  monitor_id: text,
  scope: text,
  service: text,
  host: text,
  firing: Type.Boolean(),
  occurrences: Type.Integer(),
  flaps: Type.Integer(),
  joined_at: Type.String(),
  last_at: Type.String(),
  first_event_id: Type.Integer(),
  last_event_id: Type.Integer(),
  rule: Type.String({ description: 'first, scope, host, service or split' }),
  why_merged: Type.String()
})

/** One incident with its members and what became of it. */
export const WholeIncident = Type.Object({
  ...IncidentBody.properties,
  members: Type.Array(MemberBody),
  next_member: Type.Union([Type.Integer(), Type.Null()], {
    description: '`after_member` of the next page, null on the last one'
  }),
  log: Type.Array(
    Type.Object({ at: Type.String(), kind: Type.String(), by: text, text: Type.String() })
  )
})

const time = (ms: number): string => new Date(ms).toISOString()
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms))

export function incidentBody(
  incident: Incident,
  link: EventLink | undefined
): Static<typeof IncidentBody> {
  const { id, state, status, title, account, service, host, env, flaps, wouldMerge } = incident
  return {
    id,
    state,
    status,
    title,
    account,
    service,
    host,
    env,
    flaps,
    member_count: incident.members,
    firing_count: incident.firing,
    occurrences: incident.occurrences,
    monitor_id: incident.monitorId,
    event_id: incident.eventId,
    opened_at: time(incident.openedAt),
    changed_at: time(incident.changedAt),
    settles_at: timeOrNull(incident.settlesAt),
    settled_at: timeOrNull(incident.settledAt),
    closed_at: timeOrNull(incident.closedAt),
    closed_by: incident.closedBy,
    acknowledged_at: timeOrNull(incident.acknowledgedAt),
    acknowledged_by: incident.acknowledgedBy,
    assigned_to: incident.assignedTo,
    merged_into: incident.mergedInto,
    would_merge:
      wouldMerge === null
        ? null
        : {
            incident_id: wouldMerge.incidentId,
            why: wouldMerge.why
          },
    ...(link?.rca
      ? {
          rca: {
            id: link.rca.id,
            url: link.rca.url,
            status: link.rca.status
          }
        }
      : {}),
    ...(link?.notebook ? { notebook: { ...link.notebook } } : {})
  }
}

export function memberBody(member: Member): Static<typeof MemberBody> {
  const { id, title, scope, service, host, firing, occurrences, flaps, rule } = member
  return {
    id,
    title,
    scope,
    service,
    host,
    firing,
    occurrences,
    flaps,
    rule,
    monitor_id: member.monitorId,
    joined_at: time(member.joinedAt),
    last_at: time(member.lastAt),
    first_event_id: member.firstEventId,
    last_event_id: member.lastEventId,
    why_merged: member.why
  }
}

export const logBody = ({ at, kind, by, text: words }: LogEntry & { readonly at: Date }) => ({
  at: at.toISOString(),
  kind,
  by,
  text: words
})
