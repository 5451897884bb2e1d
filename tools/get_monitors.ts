import { Type } from '../core/index.ts'
import { pageOf } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'

export default defineReader({
  name: 'get_monitors',
  title: 'Search monitors',
  description: [
    'Monitors that match a monitor search, with their state. Use it for what else alerts now and for one',
    'monitor by `id:`. It has no history: the events have.'
  ],
  input: {
    query: searchText('e.g. status:alert service:checkout-api'),
    limit: limitOf(100, 20)
  },
  row: Type.Object({
    id: Type.String(),
    name: Type.String(),
    state: Type.String(),
    type: Type.String(),
    query: Type.String(),
    tags: Type.String()
  }),
  example: { query: 'status:alert', limit: 10 },
  async ask({ query, limit }, { account, signal }) {
    const found = await account.searchMonitors({ query, limit }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ id, name, state, type, query: own, tags }) => ({
        id,
        name,
        state,
        type,
        query: own,
        tags: tags.join(',')
      })),
      link: pageOf(account, '/monitors/manage', { q: query }),
      whenEmpty: 'a monitor search takes words of names, status:, type:, tag: and scope:'
    }
  }
})
