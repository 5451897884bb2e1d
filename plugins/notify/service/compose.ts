import { isoTime, epochMs } from '../../../core/index.ts'
import type { AnalysisEnded } from '../../rca/contract.ts'
import type { AlertReceived } from '../../webhooks/contract.ts'
import type { Message } from '../contract.ts'

type Alert = AlertReceived['alert']
/** What a route looks at. */
export interface Facts {
  readonly account: string | null
  readonly service: string | null
  readonly team: string | null
  readonly tags: readonly string[]
}

/** The problem an alert is about: account, monitor and scope, or what stands for them. */
export const problemKey = (account: string | null, alert: Alert): string =>
  JSON.stringify([account, alert.monitor_id ?? nameOf(alert), alert.scope ?? alert.host ?? ''])

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

const nameOf = (alert: Alert): string =>
  alert.monitor_name ?? alert.title ?? alert.message?.split('\n')[0]?.slice(0, 200) ?? 'an alert'

/** What an alert that fires says, before anybody knows why. */
export function alertMessage(
  { account, alert, received_at: receivedAt, event_id: id }: AlertReceived,
  base: string
): Omit<Message, 'key' | 'revision'> {
  const at = alert.at ?? receivedAt
  const kind = alert.status === 'warn' ? 'Warning' : 'Alert'
  const where = [alert.service, alert.env, alert.scope, alert.host].filter(Boolean).join(', ')
  return {
    state: 'firing',
    severity: severityOf(alert),
    title: nameOf(alert),
    lines: [
      `${kind} since ${timeOf(at)}${where === '' ? '' : `: ${where}`}.`,
      'The cause is being looked for.'
    ],
    links: [
      ...link('Alert', alert.link),
      ...link('Event', pageOf(base, `/v1/webhooks/events/${id}`))
    ],
    account,
    service: factsOf(account, alert).service,
    at,
    monitorType: alert.monitor_type
  }
}

/** What an analysis adds: the suspected cause, or why there is none. */
export function analysisMessage(
  ended: AnalysisEnded,
  before: Omit<Message, 'key' | 'revision'>,
  base: string
): Omit<Message, 'key' | 'revision'> {
  const { status, summary, error, notebook_url: notebook, analysis_id: id, simulated } = ended
  const [since = ''] = before.lines
  const found =
    status === 'done'
      ? (summary ?? 'The analysis ended without a word.')
      : `The analysis failed: ${error ?? 'no reason is known'}.`
  return {
    ...before,
    state: status === 'done' ? 'analysed' : 'failed',
    lines: [since, found, ...(simulated ? ['This is of the simulated Datadog.'] : [])],
    links: [
      ...link('Notebook', notebook),
      ...link('Analysis', pageOf(base, `/v1/rca/${id}`)),
      ...before.links.filter(({ label }) => label === 'Alert')
    ]
  }
}

/** What a recovery says of a message that was sent. */
export function recoveryMessage(
  { alert, received_at: receivedAt }: AlertReceived,
  before: Omit<Message, 'key' | 'revision'>
): Omit<Message, 'key' | 'revision'> {
  const at = alert.at ?? receivedAt
  const lasted = Math.max(0, Math.round((at - before.at) / 60_000))
  const cause = before.state === 'analysed' ? before.lines.slice(1) : []
  return {
    ...before,
    state: 'resolved',
    severity: 'info',
    lines: [`Resolved at ${timeOf(at)}, after ${lasted} min.`, ...cause]
  }
}

/** How loud a message about an alert is: by its priority, else by its status. */
export const severityOf = ({ priority, status }: Alert): Message['severity'] => {
  if (/^(?:p?[12]|critical|high|emergency)$/i.test(priority ?? '')) return 'critical'
  if (/^(?:p?[3-5]|warning|medium|low|normal|info)$/i.test(priority ?? '')) return 'warning'
  return status === 'alert' ? 'critical' : 'warning'
}

const timeOf = (ms: number): string => `${isoTime(epochMs(ms)).slice(0, 16).replace('T', ' ')} UTC`
const link = (label: string, url: string | null): Message['links'] =>
  url !== null && /^https?:\/\//.test(url) ? [{ label, url }] : []
const pageOf = (base: string, path: string): string | null =>
  base === '' ? null : `${base.endsWith('/') ? base.slice(0, -1) : base}${path}`
