import { readPath, tagValues, type Searchable } from '../search/match.ts'
import { wordsOf } from '../search/query.ts'
import type {
  RecordedEvent,
  RecordedHost,
  RecordedLog,
  RecordedMonitor,
  RecordedSeries,
  RecordedSpan
} from './recorded-calls.ts'

export function seriesJson(row: RecordedSeries, index: number, from: number, to: number): object {
  const points = row.points.filter(point => point.at >= from && point.at <= to)
  const step = row.intervalSeconds * 1000
  return {
    metric: row.metric,
    display_name: row.metric,
    expression: row.metric,
    scope: row.scope,
    tag_set: row.scope === '*' ? [] : row.scope.split(','),
    interval: row.intervalSeconds,
    length: points.length,
    query_index: index,
    aggr: null,
    attributes: {},
    unit: [null, null],
    start: points[0]?.at ?? from,
    end: (points.at(-1)?.at ?? from) + step - 1000,
    pointlist: points.map(point => [point.at, point.value])
  }
}

export const hostJson = (row: RecordedHost): object => ({
  name: row.name,
  host_name: row.name,
  id: 1,
  aliases: [row.name],
  apps: row.apps ?? [],
  sources: row.sources ?? [],
  up: row.up ?? null,
  is_muted: row.muted ?? false,
  mute_timeout: null,
  last_reported_time: row.lastReported ?? null,
  tags_by_source: { Datadog: row.tags ?? [] },
  metrics: row.metrics ?? {}
})

export const monitorJson = (row: RecordedMonitor): object => ({
  id: Number.isSafeInteger(Number(row.id)) ? Number(row.id) : row.id,
  org_id: 1,
  name: row.name,
  type: row.type,
  query: row.query,
  message: row.message ?? '',
  tags: row.tags,
  overall_state: row.state,
  overall_state_modified: null,
  priority: row.priority ?? null,
  multi: false,
  created_at: row.createdAt ?? 0,
  created: new Date(row.createdAt ?? 0).toISOString(),
  modified: new Date(row.createdAt ?? 0).toISOString(),
  deleted: null,
  restricted_roles: null,
  options: { thresholds: row.thresholds ?? {}, silenced: {}, notify_no_data: false }
})

export const eventItem = (row: RecordedEvent): Searchable => ({
  words: () => wordsOf(`${row.title} ${row.message}`),
  values: key => [
    ...[
      {
        title: row.title,
        message: row.message,
        source: row.source,
        service: row.service,
        host: row.host,
        status: row.status
      }[key] ?? []
    ].flat(),
    ...tagValues(row.tags, key)
  ],
  attribute: () => ({ value: undefined })
})
export const eventJson = (row: RecordedEvent): object => ({
  id: row.id,
  type: 'event',
  attributes: {
    timestamp: new Date(row.at).toISOString(),
    message: row.message,
    tags: row.tags,
    attributes: {
      title: row.title,
      timestamp: row.at,
      status: row.status,
      service: row.service ?? 'undefined',
      hostname: row.host,
      sourcetypename: row.source,
      evt: { id: row.id }
    }
  }
})

export const logItem = (row: RecordedLog): Searchable => ({
  words: () => wordsOf(row.message),
  values: key => [
    ...[{ status: row.status, host: row.host, service: row.service }[key] ?? []].flat(),
    ...tagValues(row.tags, key)
  ],
  attribute: path => ({ value: readPath(row.attributes, path) })
})
export const logJson = (row: RecordedLog): object => ({
  id: row.id,
  type: 'log',
  attributes: {
    timestamp: new Date(row.at).toISOString(),
    status: row.status,
    host: row.host,
    service: row.service,
    message: row.message,
    tags: row.tags,
    attributes: row.attributes ?? {}
  }
})

export const spanItem = (row: RecordedSpan): Searchable => ({
  words: () => wordsOf(`${row.service} ${row.resource}`),
  values: key => [
    ...[
      {
        service: row.service,
        resource_name: row.resource,
        operation_name: row.operation,
        env: row.env,
        host: row.host,
        status: row.status,
        trace_id: row.traceId,
        span_id: row.spanId,
        parent_id: row.parentId
      }[key] ?? []
    ].flat(),
    ...tagValues(row.tags, key)
  ],
  attribute: path => ({ value: readPath(row.attributes, path) })
})
export const spanJson = (row: RecordedSpan): object => ({
  id: row.id,
  type: 'spans',
  attributes: {
    trace_id: row.traceId,
    span_id: row.spanId,
    parent_id: row.parentId ?? '0',
    service: row.service,
    resource_name: row.resource,
    operation_name: row.operation,
    env: row.env,
    host: row.host,
    status: row.status,
    start_timestamp: new Date(row.at).toISOString(),
    end_timestamp: new Date(row.at + (row.durationNs ?? 0) / 1e6).toISOString(),
    tags: row.tags,
    attributes: {},
    custom: row.attributes ?? {}
  }
})
