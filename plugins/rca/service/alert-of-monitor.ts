import { epochMs, RayneError, type EpochMs } from '../../../core/index.ts'
import type { DatadogAccount, DatadogMonitor } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import { tagValue } from './describe-rows.ts'

/** What somebody says of an alert that no webhook told of; `at` as an ISO time. */
export interface AskedAlert {
  readonly at?: string
  readonly service?: string
  readonly env?: string
  readonly host?: string
}

/** The alert of a monitor as its webhook would tell it, at the time given or when it last triggered. */
export async function alertOfMonitor(
  account: DatadogAccount,
  id: string,
  asked: AskedAlert,
  now: EpochMs,
  signal: AbortSignal
): Promise<{ alert: Alert; payload: Readonly<Record<string, string>>; at: EpochMs }> {
  const given = asked.at === undefined ? undefined : timeOf(asked.at)
  const monitor = await account.monitor(id, { signal })
  const at = given ?? (await lastAlert(account, monitor, now, signal))
  const payload = webhookOf(monitor, at, asked)
  return { alert: alertOf(monitor, at, payload), payload, at }
}

function timeOf(text: string): EpochMs {
  const at = Date.parse(text)
  if (Number.isNaN(at))
    throw new RayneError({
      code: 'invalid-input',
      message: `--at takes a time such as 2026-01-31T12:00:00Z, not '${text}'`
    })
  return epochMs(at)
}

/** When the monitor last triggered, as the monitor search knows it; now when it does not. */
async function lastAlert(
  account: DatadogAccount,
  monitor: DatadogMonitor,
  now: EpochMs,
  signal: AbortSignal
): Promise<EpochMs> {
  const found = await account
    .searchMonitors({ query: `"${monitor.name.replace(/["\\]/g, ' ')}"`, limit: 50 }, { signal })
    .catch(() => undefined)
  const seconds = found?.rows.find(row => row.id === monitor.id)?.lastTriggered
  return seconds === undefined || seconds === 0 ? now : epochMs(Math.min(seconds * 1000, now))
}

/** The webhook Datadog would send for this monitor, in the recommended template's fields. */
function webhookOf(
  monitor: DatadogMonitor,
  at: EpochMs,
  options: AskedAlert
): Record<string, string> {
  const scope =
    /\{([^{}]*)\}/
      .exec(monitor.query)?.[1]
      ?.split(',')
      .map(part => part.trim())
      .filter(part => /^[\w.-]+:[^*]+$/.test(part)) ?? []
  const given = Object.entries({
    service: options.service,
    env: options.env,
    host: options.host
  }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}:${value}`]))
  const overridden = (tag: string): boolean =>
    given.some(one => one.split(':')[0] === tag.split(':')[0])
  const tags = [
    ...new Set([
      ...given,
      ...[...scope, ...monitor.tags].filter(tag => !overridden(tag)),
      'monitor'
    ])
  ].toSorted()
  const optional = {
    service: tagValue(tags, 'service'),
    env: tagValue(tags, 'env'),
    hostname: tagValue(tags, 'host')
  }
  return {
    alert_id: monitor.id,
    monitor_id: monitor.id,
    monitor_name: monitor.name,
    monitor_type: monitor.type,
    alert_transition: 'Triggered',
    alert_type: 'error',
    alert_status: 'Alert',
    alert_title: `[Triggered] ${monitor.name}`,
    alert_message: monitor.message,
    alert_query: monitor.query,
    alert_scope: scope.join(','),
    tags: tags.join(', '),
    date: String(at),
    last_updated: String(at),
    ...Object.fromEntries(
      Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined)
    )
  }
}

const unsaid = {
  alert_id: null,
  cycle_key: null,
  aggregation_key: null,
  metric: null,
  priority: null,
  org_id: null,
  link: null,
  snapshot_url: null,
  unresolved: [],
  parse_error: null
}

/** The same alert after normalisation: what decides which questions are asked. */
const alertOf = (
  monitor: DatadogMonitor,
  at: EpochMs,
  payload: Readonly<Record<string, string>>
): Alert => ({
  ...unsaid,
  status: 'alert',
  transition: 'triggered',
  firing: true,
  title: payload['alert_title'] ?? null,
  message: monitor.message,
  monitor_id: monitor.id,
  monitor_name: monitor.name,
  monitor_type: monitor.type,
  scope: payload['alert_scope'] ?? null,
  service: payload['service'] ?? null,
  host: payload['hostname'] ?? null,
  env: payload['env'] ?? null,
  query: monitor.query,
  tags: payload['tags']?.split(', ') ?? [],
  at
})
