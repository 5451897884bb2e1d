import { answerOf, defineTool, Type, toolAnswer } from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'

const Row = Type.Object({
  id: Type.String(),
  name: Type.String(),
  state: Type.String(),
  type: Type.String(),
  query: Type.String(),
  tags: Type.String()
})

export default defineTool({
  name: 'get_monitors',
  title: 'Search monitors',
  effect: 'read',
  description: [
    'Monitors that match a monitor search, with their state. Use it for what else alerts now and for one ',
    'monitor by `id:`. It has no history: the events have.'
  ].join(''),
  input: Type.Object(
    {
      query: Type.String({
        maxLength: 2_000,
        description: 'e.g. status:alert service:checkout-api'
      }),
      limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 })
    },
    { additionalProperties: false }
  ),
  output: toolAnswer(Row),
  needs: { datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [{ input: { query: 'status:alert', limit: 10 } }],
  async run(input, context, { datadog }) {
    const { signal } = context
    const account = await datadog.account(context.account)

    const found = await account.searchMonitors(
      { query: input.query, limit: input.limit },
      { signal }
    )
    return answerOf(account, found, null, ({ id, name, state, type, query, tags }) => ({
      id,
      name,
      state,
      type,
      query,
      tags: tags.join(',')
    }))
  }
})
