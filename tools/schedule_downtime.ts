import { epochMs, invalid, minuteMs, Type } from '../core/index.ts'
import { defineGuarded } from './kit/guarded.ts'
import { pageOf } from './kit/links.ts'

export default defineGuarded({
  name: 'schedule_downtime',
  title: 'Mute monitors',
  effect: 'write',
  description: [
    'Mutes a monitor, or monitors with given tags, for a scope and some minutes; it ends by itself. Use it for noise',
    'whose cause is known. It cannot mute everything.'
  ],
  input: {
    scope: Type.String({
      minLength: 3,
      maxLength: 500,
      description: 'key:value terms, e.g. service:checkout-api AND env:staging'
    }),
    monitor_id: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
    monitor_tags: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      maxItems: 10,
      default: [],
      description: 'instead of monitor_id: monitors that have all of them'
    }),
    minutes: Type.Integer({ minimum: 1, maximum: 1_440, default: 60 }),
    message: Type.String({ minLength: 1, maxLength: 1_000, description: 'why' })
  },
  example: {
    scope: 'service:checkout-api AND env:staging',
    monitor_id: '23149714',
    monitor_tags: [],
    minutes: 60,
    message: 'planned load test'
  },
  async plan({ scope, monitor_id: id, monitor_tags: tags, minutes, message }, { account, signal }) {
    if ((id === undefined) === (tags.length === 0))
      throw invalid('/monitor_id', 'or monitor_tags must be given, and not both')
    if (!/[\w.-]:[\w*.-]/.test(scope))
      throw invalid('/scope', 'needs key:value terms, e.g. env:staging')
    const which =
      id === undefined
        ? `monitors with ${tags.join(' and ')}`
        : `monitor ${id} "${(await account.monitor(id, { signal })).name}"`
    return {
      says: `mute ${which} for ${scope}, for ${minutes} minutes from the approval on: ${message}`,
      async make(key) {
        const made = await account.createDowntime(
          {
            scope,
            monitor: id === undefined ? { tags } : { id },
            to: epochMs(Date.now() + minutes * minuteMs),
            message,
            key
          },
          { signal }
        )
        return {
          result: `downtime ${made.id} for ${made.scope}, ${made.status}`,
          link: pageOf(account, '/monitors/downtimes', { id: made.id })
        }
      }
    }
  }
})
