import { createHash } from 'node:crypto'
import type { Alert } from '../contract.ts'

export interface DedupeInput {
  readonly account: string | null
  readonly alert: Alert
  readonly raw: Uint8Array
  /** Epoch milliseconds. */
  readonly receivedAt: number
}

const oncePerCycle = new Set(['triggered', 'warn', 'no_data', 'recovered'])

/** The key under which a retry collapses and a later alert does not: at most 200 characters, equal only for equal parts. */
export function dedupeKey({ account, alert, raw, receivedAt }: DedupeInput): string {
  const { monitor_id, cycle_key, transition, at } = alert
  // Renotify, Re-Triggered and unknown words come again within one cycle, so there the event's own time tells them apart.
  if (cycle_key !== null && oncePerCycle.has(transition))
    return join('cycle', [account, monitor_id, cycle_key, transition])
  if (cycle_key !== null && at !== null)
    return join('cycle', [account, monitor_id, cycle_key, transition, at])
  const body = createHash('sha256').update(raw).digest('hex')
  if (at === null) return join('body', [account, body, Math.floor(receivedAt / 60_000)])
  // Without a monitor nothing says that two alerts of one moment are the same, except equal bytes.
  if (monitor_id === null) return join('event', [account, null, body, transition, at])
  const group = alert.scope !== null ? `scope:${alert.scope}` : alert.aggregation_key
  return join('event', [account, monitor_id, group, transition, at])
}

function join(kind: string, parts: readonly (string | number | null)[]): string {
  return `${kind}:${JSON.stringify(parts.map(part => (typeof part === 'string' ? shorten(part) : part)))}`
}

/** A part as it is when short and plain, else `#` and half its SHA-256; `#` starts no plain part. */
function shorten(part: string): string {
  if (/^[\w.:,=@ -]{0,32}$/.test(part)) return part
  return `#${createHash('sha256').update(part).digest('hex').slice(0, 32)}`
}
