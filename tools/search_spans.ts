import {
  answerOf,
  defineTool,
  isoTime,
  Type,
  readToolWindow,
  toolAnswer,
  ToolWindow
} from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'

const Row = Type.Object({
  at: Type.String(),
  trace_id: Type.String(),
  service: Type.String(),
  resource: Type.String(),
  status: Type.String(),
  duration_ms: Type.Union([Type.Number(), Type.Null()])
})

export default defineTool({
  name: 'search_spans',
  title: 'Search spans',
  effect: 'read',
  description: [
    'Spans that match a trace search, newest or oldest first. Use it for which service of a call is slow or ',
    'fails, and for the spans of one trace. It is a sample: it cannot count.'
  ].join(''),
  input: Type.Object(
    {
      query: Type.String({ maxLength: 2_000, description: 'e.g. service:payments status:error' }),
      ...ToolWindow,
      sort: Type.Optional(Type.Union([Type.Literal('newest'), Type.Literal('oldest')])),
      limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 })
    },
    { additionalProperties: false }
  ),
  output: toolAnswer(Row),
  needs: { datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [
    {
      input: {
        query: 'service:payments-svc',
        from: '2026-01-31T10:00:00Z',
        to: '2026-01-31T11:00:00Z',
        limit: 20
      }
    }
  ],
  async run(input, context, { datadog }) {
    const { signal } = context
    const account = await datadog.account(context.account)
    const window = readToolWindow(input)
    const found = await account.spans(
      { query: input.query, window, limit: input.limit, sort: input.sort ?? 'newest' },
      { signal }
    )
    return answerOf(
      account,
      found,
      window,
      ({ at, traceId, service, resource, status = '', durationNs }) => ({
        at: isoTime(at),
        trace_id: traceId,
        service,
        resource: resource.slice(0, 300),
        status,
        duration_ms: durationNs === undefined ? null : Math.round(durationNs / 1e4) / 100
      })
    )
  }
})
