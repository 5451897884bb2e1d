import { isoTime, epochMs } from '../../../core/index.ts'
import type { AnalysisEnded } from '../../rca/contract.ts'
import type { AlertReceived, ToldIncident } from '../../webhooks/contract.ts'
import type { Message } from '../contract.ts'

type Alert = AlertReceived['alert']
/** What a route looks at. */
export interface Facts {
  readonly account: string | null
  readonly service: string | null
  readonly team: string | null
  readonly tags: readonly string[]
}

/** What an analysis found, as messages say it. */
export interface Cause {
  readonly state: 'analysed' | 'failed'
  readonly lines: readonly string[]
  readonly links: Message['links']
}
/** A message before it has a place in its thread. */
export type Words = Omit<Message, 'key' | 'revision'>

/** What a route looks at, of an alert. */
export const factsOf = (account: string | null, alert: Alert): Facts => {
  const tagged = (name: string): string | null =>
    alert.tags.find(tag => tag.startsWith(`${name}:`))?.slice(name.length + 1) ?? null
  return {
    account,
    service: alert.service ?? tagged('service'),
    team: tagged('team') ?? tagged('application_team'),
    tags: alert.tags
  }
}

/** What is said of an incident: what is wrong and since when, who is at it, and the cause once it is known. */
export function incidentMessage(incident: ToldIncident, cause: Cause | null, base: string): Words {
  const { account, title, received, members } = incident
  const { alert } = received
  const isOver = incident.state === 'closed'
  return {
    state: isOver ? 'resolved' : (cause?.state ?? 'firing'),
    severity: isOver ? 'info' : severityOf({ ...alert, status: incident.status }),
    title,
    lines: [
      isOver ? endOf(incident) : beginOf(incident),
      ...(members > 1 && !isOver
        ? [`${members} monitors and scopes, ${incident.firing} fire.`]
        : []),
      ...(incident.acknowledgedBy === null ? [] : [`Acknowledged by ${incident.acknowledgedBy}.`]),
      ...(cause?.lines ?? (isOver ? [] : ['The cause is being looked for.']))
    ],
    links: [
      ...(cause?.links ?? []),
      ...link('Alert', alert.link),
      ...link('Incident', pageOf(base, `/v1/incidents/${incident.id}`))
    ],
    account,
    service: factsOf(account, alert).service,
    at: incident.openedAt,
    monitorType: alert.monitor_type,
    members
  }
}

function beginOf({ status, openedAt, flaps, received: { alert } }: ToldIncident): string {
  const kind = status === 'warn' ? 'Warning' : 'Alert'
  const where = [alert.service, alert.env, alert.scope, alert.host].filter(Boolean).join(', ')
  const often = flaps > 0 ? `, on and off ${flaps + 1} times` : ''
  return `${kind} since ${timeOf(openedAt)}${often}${where === '' ? '' : `: ${where}`}.`
}

function endOf({ openedAt, changedAt, closedAt, closedBy }: ToldIncident): string {
  const at = closedAt ?? changedAt
  const lasted = Math.max(0, Math.round((at - openedAt) / 60_000))
  const who = closedBy === 'recovery' ? '' : ` by ${closedBy ?? 'somebody'}`
  return `Resolved at ${timeOf(at)}${who}, after ${lasted} min.`
}

/** What an analysis adds: the suspected cause, or why there is none. */
export function causeOf(ended: AnalysisEnded, base: string): Cause {
  const { status, summary, error, notebook_url: notebook, analysis_id: id, simulated } = ended
  const found =
    status === 'done'
      ? (summary ?? 'The analysis ended without a word.')
      : `The analysis failed: ${error ?? 'no reason is known'}.`
  return {
    state: status === 'done' ? 'analysed' : 'failed',
    lines: [found, ...(simulated ? ['This is of the simulated Datadog.'] : [])],
    links: [...link('Notebook', notebook), ...link('Analysis', pageOf(base, `/v1/rca/${id}`))]
  }
}

/** How loud a message about an alert is: by its priority, else by its status. */
const severityOf = ({ priority, status }: Alert): Message['severity'] => {
  if (/^(?:p?[12]|critical|high|emergency)$/i.test(priority ?? '')) return 'critical'
  if (/^(?:p?[3-5]|warning|medium|low|normal|info)$/i.test(priority ?? '')) return 'warning'
  return status === 'alert' ? 'critical' : 'warning'
}

const timeOf = (ms: number): string => `${isoTime(epochMs(ms)).slice(0, 16).replace('T', ' ')} UTC`
const link = (label: string, url: string | null): Message['links'] =>
  url !== null && /^https?:\/\//.test(url) ? [{ label, url }] : []
const pageOf = (base: string, path: string): string | null =>
  base === '' ? null : `${base.endsWith('/') ? base.slice(0, -1) : base}${path}`
