import { answerOf, defineTool, Type, toolAnswer } from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'

const Row = Type.Object({
  id: Type.String(),
  name: Type.String(),
  state: Type.String(),
  query: Type.String(),
  tags: Type.String(),
  priority: Type.Union([Type.Integer(), Type.Null()]),
  last_triggered: Type.Union([Type.String(), Type.Null()]),
  url: Type.String()
})

export default defineTool({
  name: 'get_triggered_monitors',
  title: 'What alerts now',
  effect: 'read',
  description: [
    'Monitors that are in alert, warning or without data right now, with when they last triggered. Use it to begin ',
    'a triage. It knows the present only: what alerted earlier is among the events.'
  ].join(''),
  input: Type.Object(
    {
      state: Type.Enum(['alert', 'warn', 'no data'], { default: 'alert' }),
      query: Type.String({
        maxLength: 1_000,
        default: '',
        description: 'further words of a monitor search, e.g. service:checkout-api'
      }),
      limit: Type.Integer({ minimum: 1, maximum: 100, default: 30 })
    },
    { additionalProperties: false }
  ),
  output: toolAnswer(Row),
  needs: { datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [{ input: { state: 'alert', query: 'team:checkout', limit: 10 } }],
  async run({ state, query, limit }, context, { datadog }) {
    const { signal } = context
    const account = await datadog.account(context.account)
    const asked = `status:${state === 'no data' ? '"no data"' : state} ${query}`.trim()
    const found = await account.searchMonitors({ query: asked, limit }, { signal })
    return answerOf(account, found, null, ({ type: _, lastTriggered, tags, ...one }) => ({
      ...one,
      tags: tags.join(','),
      last_triggered:
        lastTriggered === undefined ? null : new Date(lastTriggered * 1_000).toISOString(),
      url: `${account.appUrl}/monitors/${one.id}`
    }))
  }
})
