import { Type, type Static } from '../../core/index.ts'

export const config = Type.Object(
  {
    mode: Type.Union([Type.Literal('auto'), Type.Literal('on'), Type.Literal('off')], {
      default: 'auto',
      description:
        'auto: simulate Datadog when no account is configured and NODE_ENV is not production'
    }),
    scenario: Type.String({
      default: 's1',
      minLength: 1,
      description:
        'A file of simulator/scenarios without .json, or the path of a scenario of your own'
    }),
    world: Type.String({
      default: '',
      description: 'A file written by `rayne record`, replayed instead of a scenario'
    }),
    fire: Type.Boolean({
      default: true,
      description: "Send the scenario's own alert once for each simulated incident"
    }),
    routes: Type.Union([Type.Literal('auto'), Type.Literal('on'), Type.Literal('off')], {
      default: 'auto',
      description: 'The routes below /v1/demo; auto: there unless NODE_ENV is production'
    }),
    accounts: Type.String({
      default: '',
      description:
        'Accounts of a simulator that already runs, as the JSON list it prints; none is started here then'
    })
  },
  { additionalProperties: false }
)
export type Config = Static<typeof config>
