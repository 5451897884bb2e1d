import type {
  DatadogEvent,
  DatadogHost,
  DatadogLog,
  DatadogMonitor,
  DatadogSeries,
  DatadogSpan
} from '../../datadog-proxy/contract.ts'
import type { EvidenceRow } from '../contract.ts'

type Facts = Omit<EvidenceRow, 'id'>
type Values = EvidenceRow['facts']

/** The first value of a `key:value` tag. */
export const tagValue = (tags: readonly string[], key: string): string | undefined =>
  tags.find(tag => tag.startsWith(`${key}:`))?.slice(key.length + 1)

const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text
const present = (facts: Record<string, string | number | boolean | null | undefined>): Values =>
  Object.fromEntries(
    Object.entries(facts).filter(
      (entry): entry is [string, string | number | boolean] =>
        entry[1] !== undefined && entry[1] !== null && entry[1] !== ''
    )
  )

export const monitorFacts = (monitor: DatadogMonitor): Facts => ({
  at: null,
  text: cut(`${monitor.name} [${monitor.type}] ${monitor.query}`, 600),
  facts: present({
    name: monitor.name,
    type: monitor.type,
    state: monitor.state,
    query: monitor.query,
    priority: monitor.priority,
    service: tagValue(monitor.tags, 'service'),
    env: tagValue(monitor.tags, 'env'),
    critical: monitor.thresholds['critical']
  })
})

export const eventFacts = (event: DatadogEvent): Facts => ({
  at: event.at,
  text: cut(
    [event.title, event.message]
      .filter(Boolean)
      .join(' | ')
      .replace(/%%%/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
    500
  ),
  facts: present({
    title: cut(event.title, 200),
    source: event.source ?? tagValue(event.tags, 'source'),
    service: event.service ?? tagValue(event.tags, 'service'),
    env: tagValue(event.tags, 'env'),
    version: tagValue(event.tags, 'version'),
    host: event.host,
    status: event.status,
    event_id: event.id
  })
})

export const logFacts = (log: DatadogLog): Facts => ({
  at: log.at,
  text: cut(log.message.replace(/\s+/g, ' ').trim(), 300),
  facts: present({
    status: log.status,
    service: log.service ?? tagValue(log.tags, 'service'),
    env: tagValue(log.tags, 'env'),
    version: tagValue(log.tags, 'version'),
    host: log.host
  })
})

const figure = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '?'

export const hostFacts = (host: DatadogHost): Facts => {
  const { cpu, load, iowait } = host.metrics
  const state = host.up === undefined ? 'state unknown' : host.up ? 'up' : 'down'
  return {
    at: host.lastReported === undefined ? null : host.lastReported * 1000,
    text: [
      `${host.name}: ${state}${host.muted ? ', muted' : ''}`,
      `cpu ${figure(cpu, 1)} %`,
      `load ${figure(load, 2)}`,
      `iowait ${figure(iowait, 1)} %`
    ].join(', '),
    facts: present({ host: host.name, up: host.up, muted: host.muted, cpu, load, iowait })
  }
}

export const spanFacts = (span: DatadogSpan): Facts => {
  const took = span.durationNs === undefined ? '' : ` ${(span.durationNs / 1e6).toFixed(1)} ms`
  return {
    at: span.at,
    text: cut(`${span.service} ${span.resource}${took} ${span.status ?? ''}`.trim(), 300),
    facts: present({
      service: span.service,
      resource: cut(span.resource, 200),
      env: span.env,
      version: tagValue(span.tags, 'version'),
      host: span.host,
      status: span.status,
      trace_id: span.traceId,
      span_id: span.spanId,
      parent_id: span.parentId,
      peer: tagValue(span.tags, 'peer.service')
    })
  }
}

/** A series as one row: its shape in words; the points stay readable for the onset. */
export const seriesFacts = (series: DatadogSeries): Facts => {
  const values = series.points.flatMap(point => (point.value === null ? [] : [point.value]))
  const name = `${series.metric}{${series.scope}}`
  return {
    at: series.points.at(-1)?.at ?? null,
    text:
      values.length === 0
        ? `${name}: no data in any bucket`
        : [
            `${name}: ${round(values[0])} → ${round(values.at(-1))}`,
            `min ${round(values.reduce((a, b) => Math.min(a, b)))}`,
            `max ${round(values.reduce((a, b) => Math.max(a, b)))} over ` +
              `${values.length} buckets of ${series.intervalSeconds} s`
          ].join(', '),
    facts: present({
      metric: cut(series.metric, 200),
      scope: series.scope,
      interval: series.intervalSeconds,
      points: JSON.stringify(series.points.map(point => [point.at, point.value]))
    })
  }
}
const round = (value: number | undefined): string =>
  value === undefined ? '?' : String(Number(value.toPrecision(4)))
