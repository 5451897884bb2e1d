import type { Moment } from '../service/incidents/order-of-events.ts'

/** One problem of an incident; times are epoch milliseconds. */
export interface Member {
  readonly id: number
  readonly incidentId: number
  readonly title: string
  readonly monitorId: string | null
  readonly scope: string | null
  readonly service: string | null
  readonly host: string | null
  readonly severity: number
  readonly firing: boolean
  readonly cycle: string | null
  /** When it fired last. */
  readonly fired: Moment
  readonly recovered: Moment | null
  readonly joinedAt: number
  readonly lastAt: number
  readonly firstEventId: number
  readonly lastEventId: number
  readonly occurrences: number
  readonly flaps: number
  /** Which rule made it a member, and the sentence that says so. */
  readonly rule: string
  readonly why: string
}
/** A row of `webhooks_members`. */
interface MemberRow {
  id: string
  incident_id: string
  title: string
  monitor_id: string | null
  scope: string | null
  service: string | null
  host: string | null
  severity: number
  firing: boolean
  cycle: string | null
  fired_at: Date
  fired_timed: boolean
  recovered_at: Date | null
  recovered_timed: boolean | null
  joined_at: Date
  last_at: Date
  first_event_id: string
  last_event_id: string
  occurrences: number
  flaps: number
  rule: string
  why: string
}

/** A row of `webhooks_members` as the rules look at it. */
export function memberOf(row: MemberRow): Member {
  const { cycle, title, scope, service, host, severity, firing, occurrences, flaps, rule, why } =
    row
  const lastAt = row.last_at.getTime()
  return {
    title,
    scope,
    service,
    host,
    severity,
    firing,
    cycle,
    occurrences,
    flaps,
    rule,
    why,
    id: Number(row.id),
    incidentId: Number(row.incident_id),
    monitorId: row.monitor_id,
    fired: {
      cycle,
      at: row.fired_at.getTime(),
      timed: row.fired_timed,
      receivedAt: lastAt
    },
    recovered:
      row.recovered_at === null
        ? null
        : {
            cycle,
            at: row.recovered_at.getTime(),
            timed: row.recovered_timed ?? false,
            receivedAt: lastAt
          },
    joinedAt: row.joined_at.getTime(),
    lastAt,
    firstEventId: Number(row.first_event_id),
    lastEventId: Number(row.last_event_id)
  }
}
