import { answerOf, defineTool, Type, toolAnswer } from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'

const Row = Type.Object({
  name: Type.String(),
  up: Type.Union([Type.Boolean(), Type.Null()]),
  muted: Type.Boolean(),
  cpu_percent: Type.Union([Type.Number(), Type.Null()]),
  load: Type.Union([Type.Number(), Type.Null()]),
  iowait_percent: Type.Union([Type.Number(), Type.Null()]),
  apps: Type.String(),
  tags: Type.String()
})

export default defineTool({
  name: 'get_host_info',
  title: 'Hosts',
  effect: 'read',
  description: [
    'Hosts whose name contains a text: up or down, muted, load, apps, tags. Use it to know whether a host is in ',
    'trouble. Names that merely contain the text are answered too.'
  ].join(''),
  input: Type.Object(
    {
      filter: Type.String({ minLength: 1, maxLength: 200, description: 'part of a host name' }),
      limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 })
    },
    { additionalProperties: false }
  ),
  output: toolAnswer(Row),
  needs: { datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [{ input: { filter: 'web-1', limit: 5 } }],
  async run(input, context, { datadog }) {
    const { signal } = context
    const account = await datadog.account(context.account)

    const found = await account.hosts({ filter: input.filter, limit: input.limit }, { signal })
    return answerOf(
      account,
      found,
      null,
      ({ name, up = null, muted = false, metrics, apps, tags }) => ({
        name,
        up,
        muted,
        cpu_percent: metrics.cpu ?? null,
        load: metrics.load ?? null,
        iowait_percent: metrics.iowait ?? null,
        apps: apps.join(','),
        tags: tags.join(',').slice(0, 600)
      })
    )
  }
})
