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
  title: Type.String(),
  source: Type.String(),
  service: Type.String(),
  tags: Type.String(),
  message: Type.String()
})

export default defineTool({
  name: 'get_events',
  title: 'Events',
  effect: 'read',
  description: [
    'Events of the event stream: deploys, flags, configuration changes, alerts of other monitors, Kubernetes. ',
    'Use it for what changed before the onset. It does not know changes that nobody reports to Datadog.'
  ].join(''),
  input: Type.Object(
    {
      query: Type.String({
        maxLength: 2_000,
        description: 'e.g. source:deploy service:checkout-api'
      }),
      ...ToolWindow,
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
        query: 'source:deploy',
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
    const found = await account.events(
      { query: input.query, window, limit: input.limit },
      { signal }
    )
    return answerOf(
      account,
      found,
      window,
      ({ at, title, source = '', service = '', tags, message }) => ({
        at: isoTime(at),
        title,
        source,
        service,
        tags: tags.join(','),
        message: message.slice(0, 600)
      })
    )
  }
})
