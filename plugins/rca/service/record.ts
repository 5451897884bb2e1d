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
import type { DatadogService, TimeWindow } from '../../datadog-proxy/contract.ts'
import type { DatadogSnapshot } from './snapshot.ts'
import { alertOfMonitor, type AskedAlert } from './alert-of-monitor.ts'
import { gatherEvidence } from './gather-evidence.ts'
import { recordCalls } from './record-calls.ts'
import { redactSnapshot } from './redact-snapshot.ts'
import { timeOfAlert } from './window.ts'

/** What `rayne record` was asked; `window` as `30m` or `2h`, `at` as an ISO time. */
export interface RecordOptions extends AskedAlert {
  readonly account: string
  readonly monitor: string
  readonly window: string
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
  const { alert, payload, at } = await alertOfMonitor(
    account,
    options.monitor,
    options,
    now,
    signal
  )
  const { window: usual, noticesUntil } = timeOfAlert(at, now)
  const window: TimeWindow = { ...usual, from: epochMs(at - spanOf(options.window)) }
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
