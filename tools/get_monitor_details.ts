import { answerOf, defineTool, isoTime, Type, toolAnswer } from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'

const Row = Type.Object({
  id: Type.String(),
  name: Type.String(),
  type: Type.String(),
  state: Type.String(),
  query: Type.String(),
  message: Type.String(),
  tags: Type.String(),
  thresholds: Type.Record(Type.String(), Type.Number()),
  priority: Type.Union([Type.Integer(), Type.Null()]),
  created_at: Type.Union([Type.String(), Type.Null()]),
  url: Type.String()
})

export default defineTool({
  name: 'get_monitor_details',
  title: 'One monitor',
  effect: 'read',
  description: [
    'One monitor by id: query, thresholds, message, tags, state, link. Use it first for an alert: its query says ',
    'what is measured and for whom. When it alerted is among the events, not here.'
  ].join(''),
  input: Type.Object(
    { monitor_id: Type.String({ pattern: '^[0-9]{1,19}$', description: 'e.g. 23149714' }) },
    { additionalProperties: false }
  ),
  output: toolAnswer(Row),
  needs: { datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [{ input: { monitor_id: '23149714' } }],
  async run({ monitor_id: id }, context, { datadog }) {
    const { signal } = context
    const account = await datadog.account(context.account)
    const monitor = await account.monitor(id, { signal })
    const found = {
      rows: [monitor],
      truncated: false,
      warnings: [],
      asked: { query: `monitor ${id}` }
    }
    return answerOf(account, found, null, ({ createdAt, message, tags, ...one }) => ({
      ...one,
      message: message.slice(0, 4_000),
      tags: tags.join(','),
      created_at: createdAt === undefined ? null : isoTime(createdAt),
      url: `${account.appUrl}/monitors/${id}`
    }))
  }
})
