import { Type } from '../../core/index.ts'

export const config = Type.Object(
  {
    concurrency: Type.Integer({
      default: 6,
      minimum: 1,
      maximum: 64,
      description: 'Analyses at once in one process'
    }),
    timeout_seconds: Type.Integer({
      default: 120,
      minimum: 10,
      maximum: 900,
      description: 'How long one attempt may take'
    })
  },
  { additionalProperties: false }
)
