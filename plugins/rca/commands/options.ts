import { Type } from '../../../core/index.ts'

/** Options of the commands that are about one monitor. */
export const MonitorId = Type.String({ pattern: '^[0-9]{1,19}$', title: 'id' })
export const AlertTime = Type.Optional(
  Type.String({
    maxLength: 40,
    title: 'time',
    description:
      'when it alerted, as 2026-01-31T12:00:00Z; the last alert of the monitor when left out'
  })
)
export const Name = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))
