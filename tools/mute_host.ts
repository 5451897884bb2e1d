import { epochMs, invalid, isoTime, minuteMs, Type } from '../core/index.ts'
import { defineGuarded } from './kit/guarded.ts'
import { pageOf } from './kit/links.ts'

export default defineGuarded({
  name: 'mute_host',
  title: 'Mute a host',
  effect: 'write',
  description: [
    'Mutes all monitors for one host for some minutes; it ends by itself. Use it for a machine that is repaired or',
    'drained. It cannot mute hosts by pattern.'
  ],
  input: {
    host: Type.String({ minLength: 1, maxLength: 255, description: 'the whole name' }),
    minutes: Type.Integer({ minimum: 1, maximum: 1_440, default: 60 }),
    message: Type.String({ minLength: 1, maxLength: 500, description: 'why' })
  },
  example: { host: 'web-1', minutes: 60, message: 'is drained' },
  async plan({ host, minutes, message }, { account, signal }) {
    const { rows } = await account.hosts({ filter: host, limit: 100 }, { signal })
    if (!rows.some(({ name, aliases = [] }) => name === host || aliases.includes(host)))
      throw invalid('/host', 'is no host of this account by its whole name: get_host_info has them')
    return {
      says: `mute the host ${host} for ${minutes} minutes from the approval on: ${message}`,
      async make(id) {
        const to = epochMs(Date.now() + minutes * minuteMs)
        await account.muteHost({ host, to, message: `${message} [rayne:${id}]` }, { signal })
        return {
          result: `host ${host} is muted until ${isoTime(to)}`,
          link: pageOf(account, '/infrastructure', { host })
        }
      }
    }
  }
})
