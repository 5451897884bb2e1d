import type { Account } from '../world/accounts.ts'
import { alertEvent, alertSummary, alertTitle, eventType } from '../world/events.ts'
import {
  cycleKey,
  firstTerm,
  transitionName,
  type Monitor,
  type Transition
} from '../world/monitors.ts'
import { decimal, hash, hex } from '../world/random.ts'

/** Values of Datadog's webhook variables for one alert; tags are looked up apart, for `$TAGS[key]`. */
export interface WebhookVariables {
  readonly values: Readonly<Record<string, string>>
  readonly tags: readonly string[]
}

/** Everything Datadog would know when a monitor changes state; times are epoch ms as text. */
export function webhookVariables(
  account: Account,
  monitor: Monitor,
  transition: Transition,
  name = transitionName(transition)
): WebhookVariables {
  const { spec, id } = monitor
  const { spec: org, world } = account
  const event = alertEvent(world, monitor, transition)
  const term = firstTerm(monitor.query.expression)
  const scope = transition.group === '' ? term.scope : transition.group
  const tags = [
    ...new Set(
      [...scope.split(','), 'monitor', ...spec.tags].filter(
        tag => tag !== '' && !tag.startsWith('!')
      )
    )
  ].toSorted()
  const eventId = event.evtId
  const title = (plain: string): string => plain.replace(transitionName(transition), name)
  const values = {
    AGGREG_KEY: decimal(hash(id), 16),
    ALERT_CYCLE_KEY: cycleKey(monitor, transition),
    ALERT_ID: String(id),
    ALERT_METRIC: term.metric,
    ALERT_PRIORITY: spec.priority === undefined ? '' : `P${spec.priority}`,
    ALERT_QUERY: spec.query,
    ALERT_SCOPE: scope,
    ALERT_STATUS: alertSummary(monitor, transition),
    ALERT_TITLE: title(alertTitle(monitor, transition)),
    ALERT_TRANSITION: name,
    ALERT_TYPE: { Alert: 'error', Warn: 'warning', OK: 'success', 'No Data': 'warning' }[
      transition.to
    ],
    DATE: String(transition.at),
    DATE_POSIX: String(Math.floor(transition.at / 1000)),
    EMAIL: '',
    EVENT_MSG: event.message,
    EVENT_TITLE: title(event.title),
    EVENT_TYPE: eventType(spec.type),
    HOSTNAME: tags.find(tag => tag.startsWith('host:'))?.slice(5) ?? '',
    ID: eventId,
    LAST_UPDATED: String(transition.at),
    LAST_UPDATED_POSIX: String(Math.floor(transition.at / 1000)),
    LINK: `https://app.${org.site}/event/event?id=${eventId}`,
    LOGS_SAMPLE: '',
    METRIC_NAMESPACE: term.metric.split('.')[0] ?? '',
    ORG_ID: String(org.orgId),
    ORG_NAME: org.orgName,
    PRIORITY: 'normal',
    SNAPSHOT: `https://p.${org.site}/snapshot/view/dd-snapshots-prod/org_${org.orgId}/${new Date(transition.at).toISOString().slice(0, 10)}/${hex(hash(id, transition.at), 40)}.png`,
    TAGS: tags.join(', '),
    TEXT_ONLY_MSG: event.message.replaceAll('%%%', '').trim(),
    USER: '',
    USERNAME: ''
  }
  return { values, tags }
}

/** Substitutes `$VAR` and `$TAGS[key]`; `json` escapes the values for use inside JSON strings. Unknown variables stay, as they do in Datadog. */
export function renderWebhook(template: string, variables: WebhookVariables, json = true): string {
  const shown = (value: string): string => (json ? JSON.stringify(value).slice(1, -1) : value)
  const names = Object.keys(variables.values).toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(`\\$TAGS\\[([^\\]]*)\\]|\\$(${names.join('|')})(?![A-Z0-9_])`, 'g')
  return template.replace(pattern, (_, tag: string | undefined, name: string) =>
    shown(
      tag === undefined
        ? (variables.values[name] ?? '')
        : (variables.tags.find(t => t.startsWith(`${tag}:`))?.slice(tag.length + 1) ?? '')
    )
  )
}
