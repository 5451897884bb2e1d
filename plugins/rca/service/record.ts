import { writeFile } from 'node:fs/promises'
import {
  epochMs,
  errorText,
  isoTime,
  nowMs,
  RayneError,
  type CommandAnswer,
  type EpochMs
} from '../../../core/index.ts'
import { rcaErrors } from '../contract.ts'
import type {
  DatadogAccount,
  DatadogMonitor,
  DatadogService,
  TimeWindow
} from '../../datadog-proxy/contract.ts'
import type { DatadogSnapshot } from './snapshot.ts'
import type { Alert } from '../../webhooks/contract.ts'
import { tagValue } from './describe-rows.ts'
import { gatherEvidence } from './gather-evidence.ts'
import { recordCalls } from './record-calls.ts'
import { redactSnapshot } from './redact-snapshot.ts'
import { timeOfAlert } from './window.ts'

/** What `rayne record` was asked; `window` as `30m` or `2h`, `at` as an ISO time. */
export interface RecordOptions {
  readonly account: string
  readonly monitor: string
  readonly window: string
  readonly at?: string
  readonly service?: string
  readonly env?: string
  readonly host?: string
  readonly anonymise?: boolean
}

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const readMs = 120_000

/** A snapshot of what an analysis of this monitor reads, by the very reads an analysis makes. */
async function recordSnapshot(
  datadog: DatadogService,
  options: RecordOptions,
  stop: AbortSignal,
  now: EpochMs = nowMs()
): Promise<DatadogSnapshot> {
  const { account, calls } = recordCalls(await datadog.account(options.account))
  const signal = AbortSignal.any([stop, AbortSignal.timeout(readMs)])
  const monitor = await account.monitor(options.monitor, { signal })
  const at =
    options.at === undefined ? await lastAlert(account, monitor, now, signal) : timeOf(options.at)
  const { window: usual, noticesUntil } = timeOfAlert(at, now)
  const window: TimeWindow = { ...usual, from: epochMs(at - spanOf(options.window)) }
  const payload = webhookOf(monitor, at, options)
  const alert = alertOf(monitor, at, payload)
  await gatherEvidence({ account, alert, at, window, noticesUntil, signal })
  return redactSnapshot(
    {
      format: 'rayne-world',
      version: 1,
      recorded_at: isoTime(now),
      account: { name: account.name, site: account.site, simulated: account.simulated },
      window: { from: isoTime(window.from), to: isoTime(window.to) },
      alert: payload,
      calls: calls()
    },
    options.anonymise ?? false
  )
}

/**
 * What `rayne record` answers: the snapshot is in the file, readable by its owner only, and this says what it holds.
 */
export async function recordToFile(
  datadog: DatadogService,
  file: string,
  options: RecordOptions,
  signal: AbortSignal
): Promise<CommandAnswer> {
  const snapshot = await recordSnapshot(datadog, options, signal)
  await writeFile(file, `${JSON.stringify(snapshot, null, 1)}\n`, { mode: 0o600 }).catch(
    (error: unknown) => {
      throw new RayneError({
        code: rcaErrors['file-unwritable'],
        message: `cannot write '${file}': ${errorText(error)}`
      })
    }
  )
  const { calls, redacted, window } = snapshot
  const summary = calls.map(({ call, rows, failure }) => ({
    call,
    rows: rows.length,
    ...(failure ? { failure: failure.message } : {})
  }))
  const hosts =
    redacted.hosts === 0
      ? 'host names kept (--anonymise replaces them)'
      : `${redacted.hosts} hosts renamed`
  const replaced = `${redacted.emails} e-mail and ${redacted.addresses} network addresses replaced`
  return {
    value: { file, window, redacted, calls: summary },
    lines: [
      `${file}: ${window.from} to ${window.to}, ${replaced}, ${hosts}`,
      ...summary.map(one => `  ${one.call.padEnd(8)} ${one.failure ?? `${one.rows} rows`}`),
      'read it before you pass it on: what a log line says of people stays in it'
    ]
  }
}

function spanOf(text: string): number {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text.trim()) ?? []
  const span = Number(count) * (unitMs[unit as keyof typeof unitMs] ?? NaN)
  if (!(span >= 5 * unitMs.m && span <= 7 * unitMs.d))
    throw new RayneError({
      code: 'invalid-input',
      message: `--window takes 5m to 7d, as 30m or 2h, not '${text}'`
    })
  return span
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
  options: RecordOptions
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
