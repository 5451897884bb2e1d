import type { Account } from '../world/accounts.ts'
import { alertEvent, alertSummary, alertTitle, eventType } from '../world/alert-event.ts'
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
  const term = firstTerm(monitor.query.expression)
  const scope = transition.group === '' ? term.scope : transition.group
  const tags = tagsOf(monitor, scope)
  return {
    tags,
    values: {
      ...alertValues(monitor, transition, name),
      ...eventValues(account, monitor, transition, name),
      ...organisationValues(account, monitor, transition),
      ...timeValues(transition.at),
      ALERT_METRIC: term.metric,
      ALERT_SCOPE: scope,
      HOSTNAME: tags.find(tag => tag.startsWith('host:'))?.slice(5) ?? '',
      METRIC_NAMESPACE: term.metric.split('.')[0] ?? '',
      TAGS: tags.join(', ')
    }
  }
}

const tagsOf = ({ spec }: Monitor, scope: string): string[] => {
  const all = [...scope.split(','), 'monitor', ...spec.tags]
  return [...new Set(all.filter(tag => tag !== '' && !tag.startsWith('!')))].toSorted()
}

const alertTypes = { Alert: 'error', Warn: 'warning', OK: 'success', 'No Data': 'warning' } as const
/** A title speaks of the transition by its own name; this one may be sent under another. */
const renamed = (title: string, transition: Transition, name: string): string =>
  title.replace(transitionName(transition), () => name)

const alertValues = (monitor: Monitor, transition: Transition, name: string) => ({
  AGGREG_KEY: decimal(hash(monitor.id), 16),
  ALERT_CYCLE_KEY: cycleKey(monitor, transition),
  ALERT_ID: String(monitor.id),
  ALERT_PRIORITY: monitor.spec.priority === undefined ? '' : `P${monitor.spec.priority}`,
  ALERT_QUERY: monitor.spec.query,
  ALERT_STATUS: alertSummary(monitor, transition),
  ALERT_TITLE: renamed(alertTitle(monitor, transition), transition, name),
  ALERT_TRANSITION: name,
  ALERT_TYPE: alertTypes[transition.to],
  PRIORITY: 'normal'
})

function eventValues(
  { spec: org, world }: Account,
  monitor: Monitor,
  transition: Transition,
  name: string
) {
  const event = alertEvent(world, monitor, transition)
  return {
    EVENT_MSG: event.message,
    EVENT_TITLE: renamed(event.title, transition, name),
    EVENT_TYPE: eventType(monitor.spec.type),
    ID: event.evtId,
    LINK: `https://app.${org.site}/event/event?id=${event.evtId}`,
    TEXT_ONLY_MSG: event.message.replaceAll('%%%', '').trim()
  }
}

function organisationValues({ spec: org }: Account, monitor: Monitor, { at }: Transition) {
  const day = new Date(at).toISOString().slice(0, 10)
  const folder = `https://p.${org.site}/snapshot/view/dd-snapshots-prod/org_${org.orgId}`
  return {
    EMAIL: '',
    LOGS_SAMPLE: '',
    ORG_ID: String(org.orgId),
    ORG_NAME: org.orgName,
    SNAPSHOT: `${folder}/${day}/${hex(hash(monitor.id, at), 40)}.png`,
    USER: '',
    USERNAME: ''
  }
}

function timeValues(at: number) {
  const [ms, seconds] = [String(at), String(Math.floor(at / 1000))]
  return { DATE: ms, DATE_POSIX: seconds, LAST_UPDATED: ms, LAST_UPDATED_POSIX: seconds }
}

/**
 * Substitutes `$VAR` and `$TAGS[key]`; `json` escapes the values for use inside JSON strings. Unknown variables
 * stay, as they do in Datadog.
 */
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
