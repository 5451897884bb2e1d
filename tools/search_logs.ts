import { isoTime, Type } from '../core/index.ts'
import { timedPage } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

export default defineReader({
  name: 'search_logs',
  title: 'Search logs',
  description: [
    'Log lines that match a Datadog log search, newest or oldest first. Use it for the words of errors, for one',
    'host, service or trace. It cannot count or aggregate: a truncated answer is a sample.'
  ],
  input: {
    query: searchText('e.g. service:checkout-api status:error'),
    ...Window,
    sort: Type.Optional(Type.Enum(['newest', 'oldest'])),
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    at: Type.String(),
    status: Type.String(),
    service: Type.String(),
    host: Type.String(),
    version: Type.String(),
    trace_id: Type.String(),
    message: Type.String()
  }),
  example: {
    query: 'service:checkout-api status:error',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 20
  },
  async ask({ query, sort = 'newest', limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    const found = await account.logs({ query, window, limit, sort }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ at, status, service, host, message, tags, attributes }) => ({
        at: isoTime(at),
        status,
        service: service ?? '',
        host: host ?? '',
        version: tags.find(tag => tag.startsWith('version:'))?.slice('version:'.length) ?? '',
        trace_id: String(attributes['trace_id'] ?? ''),
        message: message.slice(0, 600)
      })),
      link: timedPage(account, '/logs', window, { query }),
      whenEmpty:
        'attributes need @ in a search, service may be missing on lines that name it elsewhere; try fewer words'
    }
  }
})
