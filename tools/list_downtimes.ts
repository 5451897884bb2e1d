import { isoTime, Type } from '../core/index.ts'
import { pageOf } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'

const textOrNull = Type.Union([Type.String(), Type.Null()])

export default defineReader({
  name: 'list_downtimes',
  title: 'Downtimes',
  description: [
    'Downtimes (mutes) of monitors: scope, monitor, begin and end. Use it when an alert is missing, and before a new',
    'one is scheduled. A downtime stops messages, it does not change the state of a monitor.'
  ],
  input: {
    current_only: Type.Boolean({ default: true, description: 'false: scheduled and ended too' }),
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    id: Type.String(),
    scope: Type.String(),
    status: Type.String(),
    message: Type.String(),
    monitor_id: textOrNull,
    monitor_tags: Type.String(),
    from: textOrNull,
    to: Type.Union([Type.String(), Type.Null()], { description: 'null: until somebody ends it' })
  }),
  example: { current_only: true, limit: 50 },
  async ask({ current_only: currentOnly, limit }, { account, signal }) {
    const found = await account.downtimes({ currentOnly, limit }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ monitorId, monitorTags, from, to, message, ...one }) => ({
        ...one,
        message: message.slice(0, 500),
        monitor_id: monitorId ?? null,
        monitor_tags: monitorTags.join(','),
        from: from === undefined ? null : isoTime(from),
        to: to === undefined ? null : isoTime(to)
      })),
      link: pageOf(account, '/monitors/downtimes'),
      whenEmpty: currentOnly ? 'nothing is muted now; current_only: false shows the others' : ''
    }
  }
})
