import { isoTime, Type } from '../core/index.ts'
import { timedPage } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

export default defineReader({
  name: 'get_events',
  title: 'Events',
  description: [
    'Events of the event stream: alerts of other monitors, Kubernetes, providers, deploys. Use it for what was',
    'announced around the onset; list_changes has the changes alone. It does not know what nobody reports.'
  ],
  input: {
    query: searchText('e.g. source:kubernetes service:checkout-api'),
    ...Window,
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    at: Type.String(),
    title: Type.String(),
    source: Type.String(),
    service: Type.String(),
    tags: Type.String(),
    message: Type.String()
  }),
  example: {
    query: 'source:deploy',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 20
  },
  async ask({ query, limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    const found = await account.events({ query, window, limit }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ at, title, source, service, tags, message }) => ({
        at: isoTime(at),
        title,
        source: source ?? '',
        service: service ?? '',
        tags: tags.join(','),
        message: message.slice(0, 600)
      })),
      link: timedPage(account, '/event/explorer', window, { query }),
      whenEmpty: 'events are indexed up to some minutes late; try a wider window or fewer words'
    }
  }
})
