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
  metric: Type.String(),
  scope: Type.String(),
  interval_seconds: Type.Number(),
  points: Type.String({ description: 'ISO time and value of each bucket, `-` without data' })
})

export default defineTool({
  name: 'query_metric',
  title: 'Query a metric',
  effect: 'read',
  description: [
    'Time series of a Datadog metric query, with every bucket of the window. Use it to see when something ',
    'changed and by how much. Ask for request counts beside every latency. It cannot forecast.'
  ].join(''),
  input: Type.Object(
    {
      query: Type.String({
        maxLength: 2_000,
        description:
          'e.g. sum:trace.http.request.errors{service:checkout-api} by {version}.as_count()'
      }),
      ...ToolWindow
    },
    { additionalProperties: false }
  ),
  output: toolAnswer(Row),
  needs: { datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [
    {
      input: {
        query: 'avg:system.cpu.user{*}',
        from: '2026-01-31T10:00:00Z',
        to: '2026-01-31T11:00:00Z'
      }
    }
  ],
  async run(input, context, { datadog }) {
    const { signal } = context
    const account = await datadog.account(context.account)
    const window = readToolWindow(input)
    const found = await account.metric({ query: input.query, window }, { signal })
    return answerOf(account, found, window, ({ metric, scope, intervalSeconds, points }) => ({
      metric,
      scope,
      interval_seconds: intervalSeconds,
      points: points
        .map(({ at, value }) => `${isoTime(at).slice(0, 16)}Z ${value ?? '-'}`)
        .join(', ')
    }))
  }
})
