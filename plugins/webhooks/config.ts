import { Type, type Static } from '../../core/index.ts'

export const config = Type.Object(
  {
    retention_days: Type.Integer({
      default: 180,
      minimum: 0,
      maximum: 36_500,
      description: 'events that came longer ago are deleted with their analyses; 0 keeps them'
    }),
    quota_mb: Type.Integer({
      default: 10_240,
      minimum: 0,
      maximum: 100_000_000,
      description: 'the most MB of bodies; the oldest events go first; 0 is without a limit'
    }),
    settle_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 600,
        description:
          'how long alerts are gathered into an incident before it is analysed and told; ' +
          '20 unless set, with a simulated Datadog 0; 0 is not at all'
      })
    ),
    grouping: Type.Enum(['on', 'shadow', 'off'], {
      default: 'on',
      description:
        'whether several scopes of a monitor, and storms of a host or service, are one incident; ' +
        'shadow only says what it would merge'
    }),
    storm_seconds: Type.Integer({
      default: 120,
      minimum: 1,
      maximum: 3_600,
      description: 'how near in time the alerts of one incident come'
    }),
    storm_monitors: Type.Integer({
      default: 3,
      minimum: 2,
      maximum: 1_000,
      description: 'how many monitors of one host or service make a storm'
    }),
    reopen_minutes: Type.Integer({
      default: 10,
      minimum: 0,
      maximum: 1_440,
      description:
        'an alert of another cycle, so soon after a recovery, opens the same incident again; ' +
        '0: only within its cycle'
    }),
    stale_hours: Type.Integer({
      default: 48,
      minimum: 1,
      maximum: 8_760,
      description: 'an alert after so long a silence is a new incident, even without a recovery'
    })
  },
  { additionalProperties: false }
)
export type Config = Static<typeof config>
