import { epochMs, isoTime, Type } from '../core/index.ts'
import { pageOf } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'

export default defineReader({
  name: 'get_triggered_monitors',
  title: 'What alerts now',
  description: [
    'Monitors that are in alert, warning or without data right now, with when they last triggered. Use it to begin',
    'a triage. It knows the present only: what alerted earlier is among the events.'
  ],
  input: {
    state: Type.Enum(['alert', 'warn', 'no data'], { default: 'alert' }),
    query: Type.String({
      maxLength: 1_000,
      default: '',
      description: 'further words of a monitor search, e.g. service:checkout-api'
    }),
    limit: limitOf(100, 30)
  },
  row: Type.Object({
    id: Type.String(),
    name: Type.String(),
    state: Type.String(),
    query: Type.String(),
    tags: Type.String(),
    priority: Type.Union([Type.Integer(), Type.Null()]),
    last_triggered: Type.Union([Type.String(), Type.Null()]),
    url: Type.String()
  }),
  example: { state: 'alert', query: 'team:checkout', limit: 10 },
  async ask({ state, query, limit }, { account, signal }) {
    const asked = `status:${state === 'no data' ? '"no data"' : state} ${query}`.trim()
    const found = await account.searchMonitors({ query: asked, limit }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ type: _, lastTriggered, tags, ...one }) => ({
        ...one,
        tags: tags.join(','),
        last_triggered:
          lastTriggered === undefined ? null : isoTime(epochMs(lastTriggered * 1_000)),
        url: pageOf(account, `/monitors/${one.id}`)
      })),
      link: pageOf(account, '/monitors/triggered', { q: asked }),
      whenEmpty: `no monitor is in the state ${state} now`
    }
  }
})
