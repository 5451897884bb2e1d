import { isoTime, Type } from '../core/index.ts'
import { pageOf } from './kit/links.ts'
import { defineReader } from './kit/reader.ts'

export default defineReader({
  name: 'get_monitor_details',
  title: 'One monitor',
  description: [
    'One monitor by id: query, thresholds, message, tags, state, link. Use it first for an alert: its query says',
    'what is measured and for whom. When it alerted is among the events, not here.'
  ],
  input: {
    monitor_id: Type.String({ pattern: '^[0-9]{1,19}$', description: 'e.g. 23149714' })
  },
  row: Type.Object({
    id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    state: Type.String(),
    query: Type.String(),
    message: Type.String(),
    tags: Type.String(),
    thresholds: Type.Record(Type.String(), Type.Number()),
    priority: Type.Union([Type.Integer(), Type.Null()]),
    created_at: Type.Union([Type.String(), Type.Null()]),
    url: Type.String()
  }),
  example: { monitor_id: '23149714' },
  async ask({ monitor_id: id }, { account, signal }) {
    const { createdAt, message, tags, ...monitor } = await account.monitor(id, { signal })
    const url = pageOf(account, `/monitors/${id}`)
    const row = {
      ...monitor,
      message: message.slice(0, 4_000),
      tags: tags.join(','),
      created_at: createdAt === undefined ? null : isoTime(createdAt),
      url
    }
    return {
      rows: [row],
      truncated: false,
      warnings: [],
      asked: { query: `monitor ${id}` },
      link: url
    }
  }
})
