import type { Incident } from '../contract.ts'

const statuses = ['ok', 'no_data', 'warn', 'alert'] as const

interface Row {
  id: string
  account: string | null
  event_id: string
  title: string
  monitor_id: string | null
  service: string | null
  host: string | null
  env: string | null
  severity: number
  state: Incident['state']
  merged_into: string | null
  would_merge_into: string | null
  would_merge_why: string | null
  opened_at: Date
  changed_at: Date
  settles_at: Date | null
  settled_at: Date | null
  closed_at: Date | null
  closed_by: string | null
  acknowledged_at: Date | null
  acknowledged_by: string | null
  assigned_to: string | null
  flaps: number
  revision: number
  members: number
  firing: number
  occurrences: number
}
const numberOf = (id: string | null): number | null => (id === null ? null : Number(id))
const timeOf = (at: Date | null): number | null => at?.getTime() ?? null

/** A row of `webhooks_incidents`, with the sums of its members. */
export function incidentOf(row: Row): Incident {
  const { account, title, service, host, env, state, flaps, revision } = row
  const { members, firing, occurrences, would_merge_into: into, would_merge_why: why } = row
  return {
    account,
    title,
    service,
    host,
    env,
    state,
    flaps,
    revision,
    members,
    firing,
    occurrences,
    id: Number(row.id),
    status: statuses[row.severity] ?? 'alert',
    eventId: Number(row.event_id),
    monitorId: row.monitor_id,
    openedAt: row.opened_at.getTime(),
    changedAt: row.changed_at.getTime(),
    settlesAt: timeOf(row.settles_at),
    settledAt: timeOf(row.settled_at),
    closedAt: timeOf(row.closed_at),
    closedBy: row.closed_by,
    acknowledgedAt: timeOf(row.acknowledged_at),
    acknowledgedBy: row.acknowledged_by,
    assignedTo: row.assigned_to,
    mergedInto: numberOf(row.merged_into),
    wouldMerge:
      into === null || why === null
        ? null
        : {
            incidentId: Number(into),
            why
          }
  }
}
