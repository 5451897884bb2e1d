import { isoTime, Type } from '../core/index.ts'
import type { DatadogSpan } from '../plugins/datadog-proxy/contract.ts'
import { spannedPage } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

const numberOrNull = Type.Union([Type.Number(), Type.Null()])

export default defineReader({
  name: 'get_trace',
  title: 'One trace as a tree',
  description: [
    'All spans of one trace, parents before children, with the time each spent itself. Use it with a trace id of',
    'search_spans or of a log line, to see which service fails first or takes the time. It cannot find traces.'
  ],
  input: {
    trace_id: Type.String({
      pattern: '^[0-9a-fA-F]{1,32}$',
      description: 'as search_spans says it'
    }),
    ...Window,
    limit: limitOf(1_000, 300)
  },
  row: Type.Object({
    depth: Type.Integer({ description: '0 for a span whose parent is not among the rows' }),
    span_id: Type.String(),
    parent_id: Type.Union([Type.String(), Type.Null()]),
    at: Type.String(),
    service: Type.String(),
    operation: Type.String(),
    resource: Type.String(),
    status: Type.String(),
    duration_ms: numberOrNull,
    self_ms: Type.Union([Type.Number(), Type.Null()], {
      description: 'duration without that of its children'
    }),
    error: Type.String()
  }),
  example: {
    trace_id: '5234567890123456789',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 300
  },
  async ask({ trace_id: id, limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    const query = `trace_id:${id}`
    const found = await account.spans({ query, window, limit, sort: 'oldest' }, { signal })
    return {
      ...found,
      rows: inOrder(found.rows).map(({ span, depth, selfNs }) => ({
        depth,
        span_id: span.spanId,
        parent_id: span.parentId ?? null,
        at: isoTime(span.at),
        service: span.service,
        operation: span.operation ?? '',
        resource: span.resource.slice(0, 300),
        status: span.status ?? '',
        duration_ms: span.durationNs === undefined ? null : toMs(span.durationNs),
        self_ms: selfNs === null ? null : toMs(selfNs),
        error: errorOf(span)
      })),
      link: spannedPage(account, `/apm/trace/${id}`, window),
      whenEmpty: 'a trace that was not kept has no spans; those of a wider window may be of it'
    }
  }
})

const toMs = (ns: number): number => Math.round(ns / 10_000) / 100

interface Placed {
  readonly span: DatadogSpan
  readonly depth: number
  readonly selfNs: number | null
}

/** Parents before children, each level by time; a span whose parent is missing stands at the top. */
function inOrder(spans: readonly DatadogSpan[]): Placed[] {
  const children = new Map<string | undefined, DatadogSpan[]>()
  const known = new Set(spans.map(({ spanId }) => spanId))
  for (const span of spans.toSorted((a, b) => a.at - b.at)) {
    const own = span.parentId !== undefined && span.parentId !== span.spanId
    const parent = own && known.has(span.parentId ?? '') ? span.parentId : undefined
    children.set(parent, [...(children.get(parent) ?? []), span])
  }
  const placed: Placed[] = []
  const left = (children.get(undefined) ?? []).toReversed().map(span => ({ span, depth: 0 }))
  for (let next = left.pop(); next; next = left.pop()) {
    const { span, depth } = next
    const below = children.get(span.spanId) ?? []
    const spentBelow = below.reduce((sum, { durationNs = 0 }) => sum + durationNs, 0)
    const selfNs = span.durationNs === undefined ? null : Math.max(0, span.durationNs - spentBelow)
    placed.push({ span, depth, selfNs })
    left.push(...below.toReversed().map(each => ({ span: each, depth: depth + 1 })))
  }
  return placed
}

/** What the span says of its error. */
function errorOf({ attributes }: DatadogSpan): string {
  const text = JSON.stringify(attributes['error'] ?? '')
  return text === '""' ? '' : text.slice(0, 500)
}
