import { matches, readPath, tagValues, type Searchable } from './match.ts'
import { isAfter, type SearchRequest } from './request.ts'
import { wordsOf } from './query.ts'
import type { Span, Traces } from '../world/spans.ts'

const MINUTE = 60_000
/** Retained spans are kept this long. */
const RETENTION = 15 * 86_400_000

/** Spans in order of their start; reading stops with the page. */
export function searchSpans(traces: Traces, request: SearchRequest, now: number): Span[] {
  const { descending, after, limit, query } = request
  const from = Math.max(request.from, now - RETENTION)
  const to = Math.min(request.to, now)
  const low = Math.floor((after && !descending ? Math.max(from, after.at) : from) / MINUTE)
  const high = Math.floor((after && descending ? Math.min(to, after.at) : to) / MINUTE)
  const page: Span[] = []
  for (let i = 0; i <= high - low && page.length < limit; i++) {
    const rows = traces
      .minute(descending ? high - i : low + i)
      .filter(
        span =>
          span.at >= from &&
          span.at + span.durationMs <= now &&
          span.at <= to &&
          matches(query, spanItem(span)) === true
      )
    for (const row of descending ? rows.toReversed() : rows)
      if (page.length < limit && isAfter(row, after, descending)) page.push(row)
  }
  return page
}

/** What a query sees of a span. */
const spanItem = (span: Span): Searchable => ({
  words: () => wordsOf(`${span.service} ${span.resource} ${span.error?.message ?? ''}`),
  values: key => {
    const value = fieldOf(span, key)
    return value === undefined ? tagValues(span.tags, key) : [value]
  },
  attribute: path => ({ value: readPath(customOf(span), path) })
})

/** A field of a span that a search knows without @. */
export function fieldOf(span: Span, key: string): string | undefined {
  switch (key) {
    case 'service':
      return span.service
    case 'resource_name':
      return span.resource
    case 'operation_name':
      return span.operation
    case 'env':
      return span.env
    case 'host':
      return span.host
    case 'version':
      return span.version
    case 'trace_id':
      return span.traceId
    case 'span_id':
      return span.spanId
    case 'parent_id':
      return span.parentId
    case 'status':
      return span.error ? 'error' : 'ok'
    default:
      return undefined
  }
}

/** The custom attributes of a span; its duration is in nanoseconds. */
export const customOf = (span: Span): Readonly<Record<string, unknown>> =>
  (span.custom ??= customAttributes(span))

function customAttributes(span: Span): Record<string, unknown> {
  const { error, code, peer } = span
  return {
    duration: Math.round(span.durationMs * 1e6),
    env: span.env,
    service: span.service,
    version: span.version,
    span: { kind: peer === undefined ? 'server' : 'client' },
    ...(code === undefined
      ? {}
      : { http: { status_code: String(code), method: span.resource.split(' ')[0] ?? 'GET' } }),
    ...(peer === undefined ? {} : { peer: { service: peer } }),
    ...(error ? { error: { type: error.type, message: error.message } } : {})
  }
}

/** A span as the v2 API shows it, as JSON text. */
export const spanJson = (span: Span): string =>
  JSON.stringify({
    id: span.id,
    type: 'spans',
    attributes: {
      trace_id: span.traceId,
      span_id: span.spanId,
      parent_id: span.parentId,
      service: span.service,
      resource_name: span.resource,
      resource_hash: span.id.slice(-16),
      operation_name: span.operation,
      env: span.env,
      host: span.host,
      type: span.type,
      status: span.error ? 'error' : 'ok',
      start_timestamp: new Date(span.at).toISOString(),
      end_timestamp: new Date(span.at + Math.round(span.durationMs)).toISOString(),
      ingestion_reason: 'auto',
      retained_by: 'diversity_sampling',
      single_span: false,
      tags: span.tags,
      attributes: {},
      custom: customOf(span)
    }
  })
