import { Type } from '../../core/index.ts'

export const config = Type.Object({
  hung_after_seconds: Type.Number({
    default: 60,
    minimum: 1,
    maximum: 86_400,
    description:
      'a monitored session without a beat for this long is hung, unless it says otherwise itself'
  }),
  crashed_after_seconds: Type.Number({
    default: 300,
    minimum: 1,
    maximum: 604_800,
    description: 'and after this long it has crashed'
  }),
  retention_days: Type.Integer({
    default: 365,
    minimum: 0,
    maximum: 36_500,
    description:
      'sessions without any write or beat for this long are deleted, and points and events ' +
      'older than this; 0 keeps everything'
  })
})
