import { isoTime, Type } from '../core/index.ts'
import { spannedPage } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

export default defineReader({
  name: 'search_spans',
  title: 'Search spans',
  description: [
    'Spans that match a trace search, newest or oldest first. Use it for which service of a call is slow or',
    'fails, and for the spans of one trace. It is a sample: it cannot count.'
  ],
  input: {
    query: searchText('e.g. service:payments status:error'),
    ...Window,
    sort: Type.Optional(Type.Enum(['newest', 'oldest'])),
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    at: Type.String(),
    trace_id: Type.String(),
    service: Type.String(),
    resource: Type.String(),
    status: Type.String(),
    version: Type.String(),
    duration_ms: Type.Union([Type.Number(), Type.Null()])
  }),
  example: {
    query: 'service:payments-svc',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 20
  },
  async ask({ query, sort = 'newest', limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    const found = await account.spans({ query, window, limit, sort }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ at, traceId, service, resource, status, tags, durationNs }) => ({
        at: isoTime(at),
        trace_id: traceId,
        service,
        resource: resource.slice(0, 300),
        status: status ?? '',
        version: tags.find(tag => tag.startsWith('version:'))?.slice('version:'.length) ?? '',
        duration_ms: durationNs === undefined ? null : Math.round(durationNs / 1e4) / 100
      })),
      link: spannedPage(account, '/apm/traces', window, { query }),
      whenEmpty: 'spans are sampled, and attributes need @ in a search; try fewer words'
    }
  }
})
