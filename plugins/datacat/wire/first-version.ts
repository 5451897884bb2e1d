import { Type } from '../../../core/index.ts'

/** What the first version's bodies and answers look like, for the description of the routes. */
export const Data = Type.Record(Type.String(), Type.Unknown())
export const OldEvent = Type.Object({
  name: Type.String(),
  data: Type.Union([Data, Type.Null()])
})
export const OldMetric = Type.Object({
  name: Type.String(),
  value: Type.Number(),
  tags: Type.Optional(Type.Array(Type.String()))
})
export const Created = Type.Object({ session_id: Type.String() })
export const OldSession = Type.Object({
  id: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
  ended_at: Type.Optional(Type.String()),
  active: Type.Boolean(),
  state: Data,
  events: Type.Array(Type.Object({ timestamp: Type.String(), ...OldEvent.properties })),
  metrics: Type.Array(Type.Object({ timestamp: Type.String(), ...OldMetric.properties }))
})
export const Cut = Type.Object({
  since: Type.Optional(
    Type.String({ description: 'written to at or after: RFC 3339 or epoch milliseconds' })
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1 }))
})
