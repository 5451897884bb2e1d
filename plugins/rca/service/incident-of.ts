import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import type { Change, Incident, LogSign, MetricSign, SpanSign } from './engine/incident.ts'
import { changeKind, isNotice } from './notices.ts'
import { inScope, rowsOf, seriesOf, textFact } from './read-rows.ts'

const minute = 60_000

/**
 * The rows of an analysis as the engine reads them, about the service where the trouble begins; of logs, metrics and
 * announcements only those of the services in `near`.
 */
export function incidentOf(
  slots: readonly EvidenceSlot[],
  origin: string,
  onset: number,
  near: ReadonlySet<string>
): Incident {
  const logs = [
    ...rowsOf(slots, 'logs').flatMap(logOf),
    ...rowsOf(slots, 'changes').flatMap(row => noticeOf(row, origin, onset))
  ]
  const asked = slots.filter(({ slot }) => slot.startsWith('logs')).map(({ window }) => window.from)
  return {
    alert: { service: origin, text: '', at: onset },
    ...(asked[0] === undefined ? {} : { logsFrom: Date.parse(asked[0]) }),
    logs: logs.filter(({ service }) => near.has(service)),
    metrics: rowsOf(slots, 'metric')
      // By version or host they are the same requests again.
      .filter(row => inScope(row, 'version') === undefined)
      .flatMap(metricOf)
      .filter(({ service }) => near.has(service)),
    spans: rowsOf(slots, 'traces').flatMap(spanOf),
    changes: rowsOf(slots, 'changes').flatMap(row => changeOf(row) ?? []),
    patterns: [],
    deploys: []
  }
}

function logOf(row: EvidenceRow): LogSign[] {
  const service = textFact(row, 'service') ?? textFact(row, 'host')
  const version = textFact(row, 'version')
  const status = textFact(row, 'status') ?? ''
  return row.at === null || service === undefined
    ? []
    : [
        {
          id: row.id,
          at: row.at,
          service,
          severity: /warn/i.test(status)
            ? 'warn'
            : /info|debug|notice|ok/i.test(status)
              ? 'info'
              : 'error',
          text: row.text,
          ...(version === undefined ? {} : { version })
        }
      ]
}

/** An announcement around the onset speaks like a line of whoever it is about. */
function noticeOf(row: EvidenceRow, origin: string, onset: number): LogSign[] {
  const isNear = row.at !== null && Math.abs(row.at - onset) <= 30 * minute
  const service = textFact(row, 'host') ?? textFact(row, 'service') ?? origin
  return isNear && isNotice(row) && !/^(?:info|ok)$/i.test(textFact(row, 'status') ?? '')
    ? [
        {
          id: row.id,
          at: Math.max(row.at ?? onset, onset),
          service,
          severity: 'warn',
          text: row.text
        }
      ]
    : []
}

function metricOf(row: EvidenceRow): MetricSign[] {
  const service = inScope(row, 'service') ?? inScope(row, 'host')
  const name = textFact(row, 'metric')
  return service === undefined || name === undefined
    ? []
    : [{ id: row.id, service, name, series: seriesOf(row) }]
}

function spanOf(row: EvidenceRow): SpanSign[] {
  const [traceId, spanId] = [textFact(row, 'trace_id'), textFact(row, 'span_id')]
  const service = textFact(row, 'service')
  return row.at === null || traceId === undefined || spanId === undefined || service === undefined
    ? []
    : [
        {
          id: row.id,
          traceId,
          spanId,
          parentId: textFact(row, 'parent_id') ?? null,
          service,
          name: textFact(row, 'resource') ?? '',
          at: row.at,
          durationMs: 0,
          isError: textFact(row, 'status') === 'error'
        }
      ]
}

/** A change as the engine reads it; undefined for an announcement. */
export function changeOf(row: EvidenceRow): Change | undefined {
  if (row.at === null || isNotice(row)) return undefined
  const service = textFact(row, 'service')
  const version = textFact(row, 'version')
  const env = textFact(row, 'env')
  return {
    id: row.id,
    at: row.at,
    kind: changeKind(row),
    message: row.text,
    files: [],
    diff: null,
    rollouts: [],
    ...(service === undefined ? {} : { service }),
    ...(version === undefined ? {} : { version }),
    ...(env === undefined ? {} : { env })
  }
}
