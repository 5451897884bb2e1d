const folded = new Map<string, string>()

/** Folds `ALERT_ID`, `$alert-id` and `alertId` to one spelling; senders use few names, so the last ones are kept. */
export function fold(name: string): string {
  const known = folded.get(name)
  if (known !== undefined) return known
  const made = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (name.length <= 64) {
    if (folded.size > 4_000) folded.clear()
    folded.set(name, made)
  }
  return made
}

/**
 * Where each fact may be found, best source first: Datadog's template variables, its default body, the
 * fields of Rayne 0.x, then other senders. Case and separators do not matter; a dot steps inside. What is not found
 * at the root is looked for one and two levels down: nested.ts.
 */
export const names = {
  alertStatus: ['alert_status'],
  alertState: ['ALERT_STATE'],
  transition: ['alert_transition', 'transition'],
  alertType: ['alert_type'],
  otherStatus: [
    'status',
    'state',
    'incident_status',
    'incident_state',
    'monitor_status',
    'monitor_state',
    'event_status',
    'event_state',
    'current_state',
    'new_state',
    'new_state_value',
    'overall_state',
    'action',
    'event_action',
    'data.action'
  ],
  eventKind: ['event_type', 'type', 'event', 'event_name', 'event_kind'],
  severity: ['severity', 'alert_severity', 'level', 'urgency', 'alert_priority'],
  recoveredFlag: ['is_recovery', 'is_recovered', 'recovered', 'is_resolved', 'resolved', 'is_ok'],
  firingFlag: ['firing', 'is_firing', 'is_alert', 'triggered', 'is_triggered'],
  recoveredAt: ['resolved_at', 'recovered_at', 'closed_at', 'cleared_at'],
  title: [
    'alert_title',
    'event_title',
    'title',
    'incident_title',
    'security_signal_title',
    'synthetics_test_name',
    'monitor.title',
    'event.title',
    'commonAnnotations.summary',
    'commonAnnotations.title',
    'data.event.title',
    'data.issue.title',
    'data.metric_alert.title',
    'data.description_title',
    'security_rule_name',
    'subject',
    'summary',
    'headline',
    'name'
  ],
  message: [
    'alert_message',
    'event_msg',
    'text_only_msg',
    'message',
    'body',
    'msg',
    'text',
    'DETAILED_DESCRIPTION',
    'incident_msg',
    'security_signal_msg',
    'description',
    'commonAnnotations.description',
    'data.description_text',
    'data.event.message',
    'data.event.culprit'
  ],
  description: ['DETAILED_DESCRIPTION'],
  monitorId: ['monitor_id', 'monitor.id'],
  alertId: [
    'alert_id',
    'alert.id',
    'incident_public_id',
    'incident_uuid',
    'security_signal_id',
    'alerts.0.fingerprint',
    'data.event.event_id',
    'data.issue.id'
  ],
  datadogAlertId: ['alert_id', 'alert.id'],
  eventId: ['id', 'event_id', 'event.id', 'alert_event_id', 'notification_id', 'delivery_id'],
  monitorName: [
    'monitor_name',
    'monitor.name',
    'alert_name',
    'alert.name',
    'synthetics_test_name',
    'security_rule_name',
    'ruleName',
    'commonLabels.alertname',
    'data.triggered_rule'
  ],
  monitorType: ['monitor_type', 'monitor.type'],
  eventType: ['event_type', 'event.type'],
  cycleKey: ['alert_cycle_key', 'cycle_key', 'alert_cycle_id', 'cycle_id'],
  aggregationKey: ['aggreg_key', 'aggregation_key', 'aggregate_key', 'groupKey'],
  scope: ['alert_scope', 'scope', 'monitor.scope'],
  service: ['service', 'service_name'],
  host: ['hostname', 'host', 'host_name', 'commonLabels.instance'],
  env: ['env', 'environment', 'data.event.environment'],
  metric: ['alert_metric', 'metric', 'metric_name'],
  query: ['alert_query', 'query', 'monitor.query'],
  priority: [
    'alert_priority',
    'severity',
    'incident_severity',
    'security_signal_severity',
    'priority',
    'urgency',
    'commonLabels.severity',
    'data.event.level',
    'level'
  ],
  tags: ['tags', 'alert_tags', 'event_tags', 'ddtags', 'commonLabels', 'data.event.tags'],
  orgId: ['org_id', 'org.id', 'organization_id', 'organization.id'],
  link: [
    'link',
    'alert_link',
    'event_url',
    'url',
    'monitor_url',
    'incident_url',
    'ruleUrl',
    'alerts.0.generatorURL',
    'externalURL',
    'data.event.web_url',
    'data.web_url',
    'data.issue.web_url'
  ],
  snapshot: ['snapshot_url', 'snapshot', 'image_url', 'alerts.0.imageURL'],
  at: [
    'date',
    'date_posix',
    'timestamp',
    'event_timestamp',
    'date_happened',
    'time',
    'alerts.0.startsAt',
    'data.event.datetime',
    'data.event.timestamp',
    'last_updated',
    'last_updated_posix'
  ]
} as const satisfies Record<string, readonly string[]>

const all = Object.values(names).flat()
const known = new Set(all.map(name => fold(name.split('.')[0] ?? name)))
// `alert_id` says what it is wherever it stands; `id`, `name` and `status` do not.
const telling = new Set([
  ...all.filter(name => /^[a-z]+_[a-z_]+$/i.test(name)).map(fold),
  ...['hostname', 'transition', 'ddtags', 'title', 'scope', 'monitor', 'alert'].map(fold)
])

/** Whether a key of the payload's root can carry a fact of an alert. */
export const isKnownName = (key: string): boolean => key.length <= 64 && known.has(fold(key))

/** Whether a key says by itself that it is of an alert, whatever it stands in. */
export const isTellingName = (key: string): boolean => key.length <= 64 && telling.has(fold(key))

const variables = `AGGREG_KEY ALERT_CYCLE_KEY ALERT_ID ALERT_METRIC ALERT_PRIORITY ALERT_QUERY ALERT_SCOPE ALERT_STATUS
  ALERT_TITLE ALERT_TRANSITION ALERT_TYPE DATE DATE_POSIX EMAIL EVENT_MSG EVENT_TITLE EVENT_TYPE HOSTNAME ID
  INCIDENT_ATTACHMENTS INCIDENT_COMMANDER INCIDENT_CUSTOMER_IMPACT INCIDENT_FIELDS INCIDENT_INTEGRATIONS INCIDENT_MSG
  INCIDENT_PUBLIC_ID INCIDENT_SEVERITY INCIDENT_STATUS INCIDENT_TITLE INCIDENT_TODOS INCIDENT_URL INCIDENT_UUID
  LAST_UPDATED LAST_UPDATED_POSIX LINK LOGS_SAMPLE METRIC_NAMESPACE ORG_ID ORG_NAME PRIORITY SECURITY_RULE_NAME
  SECURITY_SIGNAL_ID SECURITY_SIGNAL_SEVERITY SECURITY_SIGNAL_TITLE SECURITY_SIGNAL_MSG SECURITY_SIGNAL_ATTRIBUTES
  SECURITY_RULE_ID SECURITY_RULE_MATCHED_QUERIES SECURITY_RULE_QUERY SECURITY_RULE_GROUP_BY_FIELDS SECURITY_RULE_TYPE
  SNAPSHOT SYNTHETICS_TEST_NAME SYNTHETICS_FIRST_FAILING_STEP_NAME SYNTHETICS_SUMMARY TAGS TEXT_ONLY_MSG USER USERNAME`

/** Datadog's webhook template variables (docs.datadoghq.com/integrations/webhooks), without the dollar sign. */
export const datadogVariables: ReadonlySet<string> = new Set(variables.split(/\s+/))
