import { isoTime, Type } from '../core/index.ts'
import { timedPage } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

export default defineReader({
  name: 'search_rum_events',
  title: 'What browsers saw',
  description: [
    'Real user monitoring: views, actions, resources and errors of browsers and apps. Use it for what users saw and',
    'which pages broke. It is a sample of sessions: it cannot count users.'
  ],
  input: {
    query: searchText('e.g. @type:error @view.url_path:/checkout'),
    ...Window,
    sort: Type.Optional(Type.Enum(['newest', 'oldest'])),
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    at: Type.String(),
    type: Type.String(),
    service: Type.String(),
    session_id: Type.String(),
    page: Type.String(),
    error: Type.String(),
    duration_ms: Type.Union([Type.Number(), Type.Null()]),
    country: Type.String()
  }),
  example: {
    query: '@type:error',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 20
  },
  async ask({ query, sort = 'newest', limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    const found = await account.rumEvents({ query, window, limit, sort }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ at, service, attributes }) => {
        const type = text(attributes, 'type')
        const ns =
          numberAt(attributes, type, 'loading_time') ?? numberAt(attributes, type, 'duration')
        return {
          at: isoTime(at),
          type,
          service,
          session_id: text(attributes, 'session', 'id'),
          page:
            text(attributes, 'view', 'url_path') || text(attributes, 'view', 'url').slice(0, 300),
          error: text(attributes, 'error', 'message').slice(0, 400),
          duration_ms: ns === undefined ? null : Math.round(ns / 1e4) / 100,
          country: text(attributes, 'geo', 'country')
        }
      }),
      link: timedPage(account, '/rum/sessions', window, { query }),
      whenEmpty: 'nothing was recorded; attributes need @ in a search, as @type:error'
    }
  }
})

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null
        ? (part as Record<string, unknown>)[key]
        : undefined,
    value
  )
const text = (value: unknown, ...path: readonly string[]): string => {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : ''
}
const numberAt = (value: unknown, ...path: readonly string[]): number | undefined => {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : undefined
}
