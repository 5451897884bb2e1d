import {
  defineRoute,
  invalid,
  notFound,
  Type,
  type Route,
  type Static
} from '../../../core/index.ts'
import { readTime } from '../normalise/time.ts'
import { understand } from '../normalise/words.ts'
import type { EventReader } from '../service/read-events.ts'
import type { EventFilter } from '../store/events.ts'
import { Event, toWire } from './wire-event.ts'

const text = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 300, pattern: '^[^\\x00]*$', description }))
const time = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 40, description }))
const Page = Type.Object(
  {
    monitor: text("the monitor's id"),
    monitor_id: text('the same as monitor'),
    status: text('what the alert says: alert, warn, no_data, ok, or another word as it was sent'),
    account: text('name of the account'),
    service: text('name of the service'),
    from: time('received at or after this time: RFC 3339, a date, or epoch seconds'),
    to: time('received before this time'),
    page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
    cursor: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,15}$',
        description: '`next_cursor` of the page before; stays fast at any depth'
      })
    )
  },
  { additionalProperties: false }
)
const EventId = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
})

/** Reading of what was received; `analysed` says whether some plugin analyses alerts. */
export const eventRoutes = (events: EventReader, analysed: boolean): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/webhooks/events',
    auth: 'user',
    summary: 'Received webhooks, newest first',
    description: 'All conditions that are given hold for each of them.',
    query: Page,
    response: Type.Object({
      events: Type.Array(Event),
      total_count: Type.Integer(),
      page: Type.Integer(),
      per_page: Type.Integer(),
      next_cursor: Type.Union([Type.String(), Type.Null()])
    }),
    handle: ({ query }) => list(events, analysed, query)
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/events/{id}',
    auth: 'user',
    summary: 'One webhook, its analysis and its notebook',
    params: EventId,
    response: Event,
    also: { 404: 'no event has this id' },
    async handle({ params: { id } }) {
      const event = await events.find(id)
      if (!event) throw notFound('event', String(id), 'GET /v1/webhooks/events')
      return toWire(event, analysed)
    }
  })
]

async function list(events: EventReader, analysed: boolean, query: Static<typeof Page>) {
  const { page, per_page, cursor } = query
  const found = await events.list({
    filter: filterOf(query),
    limit: per_page,
    offset: (page - 1) * per_page,
    ...(cursor === undefined ? {} : { before: Number(cursor) })
  })
  return {
    events: found.events.map(event => toWire(event, analysed)),
    total_count: found.total,
    page,
    per_page,
    next_cursor: found.events.length === per_page ? String(found.events.at(-1)?.id) : null
  }
}

function filterOf(query: Static<typeof Page>): EventFilter {
  const { status, account, service } = query
  return {
    monitor: query.monitor ?? query.monitor_id,
    status: status === undefined ? undefined : (understand(status)?.status ?? status),
    account,
    service,
    from: timeOf('from', query.from),
    to: timeOf('to', query.to)
  }
}

function timeOf(name: string, given: string | undefined): Date | undefined {
  if (given === undefined) return undefined
  const at = readTime(given)
  if (at === null) throw invalid(`/query/${name}`, 'must be RFC 3339, a date, or epoch seconds')
  return new Date(at)
}
