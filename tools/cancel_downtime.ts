import { Type, invalid } from '../core/index.ts'
import { defineGuarded } from './kit/guarded.ts'
import { pageOf } from './kit/links.ts'

export default defineGuarded({
  name: 'cancel_downtime',
  title: 'End a downtime',
  effect: 'destroy',
  description: [
    'Ends a downtime by id, so that its monitors send messages again. Use it when a trouble is over before the',
    'downtime is.'
  ],
  input: { downtime_id: Type.String({ format: 'uuid', description: 'from list_downtimes' }) },
  example: { downtime_id: '0190f2f5-6d3c-7c52-9d2b-6a2b0e0d4c11' },
  async plan({ downtime_id: id }, { account, signal }) {
    const { rows } = await account.downtimes({ limit: 1_000 }, { signal })
    const found = rows.find(row => row.id === id)
    if (!found)
      throw invalid('/downtime_id', 'is no downtime of this account: list_downtimes has them')
    return {
      says: `end the downtime ${id} for ${found.scope} (${found.status}): ${found.message}`,
      async make() {
        await account.cancelDowntime(id, { signal })
        return {
          result: `downtime ${id} was ended`,
          link: pageOf(account, '/monitors/downtimes', { id })
        }
      }
    }
  }
})
