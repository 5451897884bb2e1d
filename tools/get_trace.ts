import {
  answerOf,
  defineTool,
  isoTime,
  Type,
  readToolWindow,
  toolAnswer,
  ToolWindow
} from '../core/index.ts'
import { DatadogToken, type DatadogSpan } from '../plugins/datadog-proxy/contract.ts'

const Row = Type.Object({
  depth: Type.Integer({ description: '0 for a span whose parent is not among the rows' }),
  span_id: Type.String(),
  parent_id: Type.Union([Type.String(), Type.Null()]),
  at: Type.String(),
  service: Type.String(),
  operation: Type.String(),
  resource: Type.String(),
  status: Type.String(),
  duration_ms: Type.Union([Type.Number(), Type.Null()]),
  self_ms: Type.Union([Type.Number(), Type.Null()], {
    description: 'duration without that of its children'
  }),
  error: Type.String()
})

export default defineTool({
  name: 'get_trace',
  title: 'One trace as a tree',
  effect: 'read',
  description: [
    'All spans of one trace, parents before children, with the time each spent itself. Use it with a trace id of ',
    'search_spans or of a log line, to see which service fails first or takes the time. It cannot find traces.'
  ].join(''),
  input: Type.Object(
    {
      trace_id: Type.String({
        pattern: '^[0-9a-fA-F]{1,32}$',
        description: 'as search_spans says it'
      }),
      ...ToolWindow,
      limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 300 })
    },
    { additionalProperties: false }
  ),
  output: toolAnswer(Row),
  needs: { datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [
    {
      input: {
        trace_id: '5234567890123456789',
        from: '2026-01-31T10:00:00Z',
        to: '2026-01-31T11:00:00Z',
        limit: 300
      }
    }
  ],
  async run(input, context, { datadog }) {
    const { signal } = context
    const account = await datadog.account(context.account)
    const window = readToolWindow(input)
    const found = await account.spans(
      { query: `trace_id:${input.trace_id}`, window, limit: input.limit, sort: 'oldest' },
      { signal }
    )
    const rows = inOrder(found.rows)
    return answerOf(account, { ...found, rows }, window, ({ span, depth, selfNs }) => ({
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
    }))
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
