import { hash } from 'node:crypto'
import { problemOf, type Alert, type AlertReceived } from '../../contract.ts'
import type { Moment } from './order-of-events.ts'

/** What alerts are told apart and put together by; UUIDs that equal facts of one account always give. */
export interface Problem {
  readonly problem: string
  readonly monitor: string
  readonly onHost: string | null
  readonly ofService: string | null
}

/** An alert that tells nothing of its problem is one of its own. */
function nameProblem({ account, alert, event_id: id }: AlertReceived): Problem {
  const { monitor, place } = problemOf(alert)
  const { host, service, env } = alert
  const known = monitor ?? `event ${id}`
  return {
    problem: uuidOf(['problem', account, known, place]),
    monitor: uuidOf(['monitor', account, known]),
    onHost: host === null ? null : uuidOf(['host', account, host]),
    ofService: service === null ? null : uuidOf(['service', account, service, env])
  }
}

/** An alert or a recovery as it is counted. */
export interface Occurrence {
  readonly eventId: number
  readonly problem: string
  readonly firing: boolean
  readonly moment: Moment
}
/** An alert or a recovery on its way into its incident. */
export interface Heard {
  readonly received: AlertReceived
  readonly names: Problem
  readonly moment: Moment
  readonly occurrence: Occurrence
  readonly severity: number
}

/** Reads what the rules need of an event. */
export function hear(received: AlertReceived): Heard {
  const names = nameProblem(received)
  const moment = momentOf(received)
  const { event_id: eventId, alert } = received
  const occurrence = { eventId, problem: names.problem, firing: alert.firing, moment }
  return { received, names, moment, occurrence, severity: severityOf(alert) }
}

/** When an alert was; a clock of a sender that is ahead counts for nothing. */
const momentOf = ({ alert, received_at: receivedAt }: AlertReceived): Moment => ({
  cycle: alert.cycle_key,
  at: Math.min(alert.at ?? receivedAt, receivedAt),
  timed: alert.at !== null,
  receivedAt
})

/** What people call it. */
export const titleOf = (alert: Alert): string =>
  problemOf({ ...alert, monitor_id: null }).monitor ??
  (alert.monitor_id === null ? undefined : `monitor ${alert.monitor_id}`) ??
  alert.message?.split('\n')[0]?.slice(0, 200) ??
  'an alert'

/** How bad it is, for comparing: an alert, a warning, missing data, nothing; unknown words count as an alert. */
const severityOf = ({ status }: Pick<Alert, 'status'>): number =>
  ({ ok: 0, no_data: 1, warn: 2 })[status] ?? 3

function uuidOf(parts: readonly (string | null)[]): string {
  const hex = hash('sha256', JSON.stringify(parts), 'hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
