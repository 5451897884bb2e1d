import { Type } from '../../core/index.ts'

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
    })
  },
  { additionalProperties: false }
)
