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
  status: Type.String(),
  service: Type.String(),
  host: Type.String(),
  version: Type.String(),
  message: Type.String()
})

export default defineTool({
  name: 'search_logs',
  title: 'Search logs',
  effect: 'read',
  description: [
    'Log lines that match a Datadog log search, newest or oldest first. Use it for the words of errors, for one ',
    'host, service or trace. It cannot count or aggregate: a truncated answer is a sample.'
  ].join(''),
  input: Type.Object(
    {
      query: Type.String({
        maxLength: 2_000,
        description: 'e.g. service:checkout-api status:error'
      }),
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
        query: 'service:checkout-api status:error',
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
    const found = await account.logs(
      { query: input.query, window, limit: input.limit, sort: input.sort ?? 'newest' },
      { signal }
    )
    return answerOf(
      account,
      found,
      window,
      ({ at, status, service = '', host = '', message, tags }) => ({
        at: isoTime(at),
        status,
        service,
        host,
        version: tags.find(tag => tag.startsWith('version:'))?.slice('version:'.length) ?? '',
        message: message.slice(0, 600)
      })
    )
  }
})
