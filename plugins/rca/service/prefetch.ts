import { errorText, isoTime, type EpochMs } from '../../../core/index.ts'
import {
  DatadogError,
  mayPass,
  type DatadogAccount,
  type DatadogRows,
  type TimeWindow
} from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import { eventFacts, hostFacts, logFacts, monitorFacts, seriesFacts } from './describe-rows.ts'

const minute = 60_000
const slotMs = 12_000
type Facts = Omit<EvidenceRow, 'id'>
interface Found {
  readonly rows: readonly Facts[]
  readonly truncated: boolean
  readonly note: string | null
  readonly asked: string
}

/** An hour before the alert to ten minutes after, in the alert's own time: a late analysis looks at the same window. */
export function windowAround(at: EpochMs, now: EpochMs): TimeWindow {
  return {
    from: (at - 60 * minute) as EpochMs,
    to: Math.max(at + minute, Math.min(at + 10 * minute, now)) as EpochMs
  }
}

/** Asks Datadog everything a first look needs, side by side; each question ends as rows, empty, truncated, error or forbidden. */
export async function prefetch(
  account: DatadogAccount,
  alert: Alert,
  window: TimeWindow,
  signal: AbortSignal
): Promise<EvidenceSlot[]> {
  const options = { signal, timeoutMs: slotMs }
  const monitorId = alert.monitor_id
  const monitor = monitorId === null ? undefined : account.monitor(monitorId, options)
  // Two slots share this call; the one that awaits it later must not leave it unhandled.
  monitor?.catch(() => {})
  const about = scopeOf(alert)
  return Promise.all([
    slot(
      'monitor',
      'The monitor',
      monitorId === null ? 'the alert names no monitor' : `monitor ${monitorId}`,
      window,
      async () =>
        monitor
          ? {
              rows: [monitorFacts(await monitor)],
              truncated: false,
              note: null,
              asked: `monitor ${monitorId}`
            }
          : nothing('the alert names no monitor')
    ),
    slot(
      'metric',
      "The monitor's metric",
      alert.query ?? 'the query of the monitor',
      window,
      async () => {
        const query = metricQuery(alert.query ?? (await monitor)?.query)
        return query
          ? fromRows(await account.metric({ query, window }, options), rows =>
              rows.map(seriesFacts)
            )
          : nothing('the monitor has no metric query to draw')
      }
    ),
    slot('changes', 'Deploys, flags and other changes', changeQuery, window, async () =>
      fromRows(await account.events({ query: changeQuery, window, limit: 200 }, options), rows =>
        rows.map(eventFacts)
      )
    ),
    slot('logs', 'Error logs', logQuery(about), window, async () =>
      fromRows(
        await account.logs({ query: logQuery(about), window, limit: 100, sort: 'newest' }, options),
        rows => rows.map(logFacts)
      )
    ),
    slot('hosts', 'The host', alert.host ?? 'the alert names no host', window, async () =>
      alert.host
        ? fromRows(
            await account.hosts({ filter: shortHost(alert.host), limit: 20 }, options),
            rows => rows.map(hostFacts)
          )
        : nothing('the alert names no host')
    )
  ])
}

/** Events that say that somebody or something changed the system. */
const changeQuery =
  '(source:(deploy OR deployment OR change OR change_tracking OR github OR gitlab OR jenkins OR argocd OR kubernetes OR launchdarkly OR feature_flag) OR tags:deployment OR "deploy" OR "rollout" OR "flag")'

function scopeOf(alert: Alert): {
  service: string | null
  host: string | null
  env: string | null
} {
  return {
    service: alert.service,
    host: alert.host === null ? null : shortHost(alert.host),
    env: alert.env
  }
}
const shortHost = (host: string): string => host.split('.')[0] ?? host

/** The whole condition is in brackets, so that both halves of it are bound to the scope. */
function logQuery({ service, host, env }: ReturnType<typeof scopeOf>): string {
  const quoted = (value: string): string =>
    /^[\w.-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '')}"`
  const where = service ? `service:${quoted(service)}` : host ? `host:${quoted(host)}*` : undefined
  return [
    'status:(error OR critical OR emergency)',
    where,
    env && where ? `env:${quoted(env)}` : undefined
  ]
    .filter(Boolean)
    .join(' ')
}

/** The part of a monitor's query that draws a graph: `avg(last_5m):<this> > 5`. */
export function metricQuery(query: string | null | undefined): string | undefined {
  const inner =
    /^\s*(?:\w+\([^)]*\)\s*:)?\s*(.*?)\s*(?:(?:<=|>=|<|>|==|!=)\s*-?[\d.eE+]+)?\s*$/s.exec(
      query ?? ''
    )?.[1]
  return inner &&
    /\w+:[\w.]+\{/.test(inner) &&
    !/^(?:logs|events|rum|trace-analytics|error-tracking)\(/.test(inner)
    ? inner
    : undefined
}

const nothing = (note: string): Found => ({ rows: [], truncated: false, note, asked: '' })
const fromRows = <T>(found: DatadogRows<T>, describe: (rows: readonly T[]) => Facts[]): Found => ({
  rows: describe(found.rows),
  truncated: found.truncated,
  note: found.warnings.length > 0 ? found.warnings.join('; ') : null,
  asked: found.asked.query
})

async function slot(
  name: string,
  title: string,
  asked: string,
  window: TimeWindow,
  read: () => Promise<Found>
): Promise<EvidenceSlot> {
  const started = performance.now()
  const base = { slot: name, title, window: { from: isoTime(window.from), to: isoTime(window.to) } }
  const took = (): number => Math.round(performance.now() - started)
  try {
    const found = await read()
    const outcome = found.rows.length === 0 ? 'empty' : found.truncated ? 'truncated' : 'rows'
    const note =
      found.note ??
      (outcome === 'empty'
        ? 'Datadog answered: nothing matches'
        : outcome === 'truncated'
          ? `more than the ${found.rows.length} rows shown exist`
          : null)
    return {
      ...base,
      asked: found.asked || asked,
      outcome,
      rows: found.rows.map((row, index) => ({ id: `${name}#${index + 1}`, ...row })),
      note,
      took_ms: took(),
      retryable: false
    }
  } catch (error) {
    const failure = error instanceof DatadogError ? error.failure : undefined
    const retryable = error instanceof DatadogError && mayPass(error)
    return {
      ...base,
      asked,
      outcome: failure === 'forbidden' ? 'forbidden' : 'error',
      rows: [],
      note: errorText(error),
      took_ms: took(),
      retryable
    }
  }
}
