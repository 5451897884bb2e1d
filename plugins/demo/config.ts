import { Type, type Static } from '../../core/index.ts'

export const config = Type.Object({
  mode: Type.Union([Type.Literal('auto'), Type.Literal('on'), Type.Literal('off')], { default: 'auto', description: 'auto: simulate Datadog when no account is configured and NODE_ENV is not production' }),
  scenario: Type.String({ default: 's1', pattern: '^[a-z0-9-]+$', description: 'A file of plugins/demo/scenarios, without .json' }),
  fire: Type.Boolean({ default: true, description: "Send the scenario's own alert once for each simulated incident" }),
  accounts: Type.String({ default: '', description: 'Accounts of a simulator that already runs, as the JSON list it prints; none is started here then' })
}, { additionalProperties: false })
export type Config = Static<typeof config>
