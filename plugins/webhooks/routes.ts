import {
  notFound,
  reply,
  Type,
  type Knex,
  type PluginApp,
  type Reply,
  type RouteRequest,
  type Static
} from '../../core/index.ts'
import type { EventLinks, Webhooks } from './contract.ts'
import { Event, toWire } from './event.ts'
import { eventStore } from './store.ts'

const Accepted = Type.Object({
  event_id: Type.Integer(),
  status: Type.String(),
  message: Type.String(),
  account_name: Type.Optional(Type.String()),
  duplicate_of: Type.Optional(Type.Integer())
})
const anyBody = {
  rawBody: true,
  maxBodyBytes: 1_048_576,
  response: Accepted,
  status: 202,
  also: {
    200: 'the same webhook came before: `duplicate_of` names it, and nothing new is started',
    401: 'no valid ingest secret',
    404: 'the account in the path does not exist',
    413: 'over 1 MB',
    503: 'the database is away; send it again'
  }
} as const
const Page = Type.Object(
  {
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

export function routes(
  app: PluginApp<unknown>,
  webhooks: Webhooks,
  links: EventLinks | undefined,
  db: Knex
): void {
  const receive = async (
    { body, headers }: RouteRequest,
    account?: string
  ): Promise<Reply<Static<typeof Accepted>>> => {
    const receipt = await webhooks.receive({
      raw: body as Uint8Array,
      headers,
      ...(account === undefined ? {} : { account })
    })
    const answer = {
      event_id: receipt.eventId,
      ...(receipt.account === null ? {} : { account_name: receipt.account })
    }
    return receipt.duplicate
      ? reply(200, {
          ...answer,
          status: 'duplicate',
          message: 'This webhook was received before',
          duplicate_of: receipt.eventId
        })
      : reply(202, {
          ...answer,
          status: 'accepted',
          message: 'Webhook received and queued for processing'
        })
  }
  app.route({
    method: 'POST',
    path: '/receive',
    auth: 'ingest',
    summary: 'Receive a Datadog webhook',
    description: 'Any body is stored; the answer means committed.',
    ...anyBody,
    handle: request => receive(request)
  })
  app.route({
    method: 'POST',
    path: '/receive/{account}',
    auth: 'ingest',
    summary: 'Receive a webhook for a named account',
    params: Type.Object({ account: Type.String({ minLength: 1, maxLength: 255 }) }),
    ...anyBody,
    handle: request => receive(request, request.params.account)
  })
  app.route({
    method: 'GET',
    path: '/events',
    auth: 'user',
    summary: 'Received webhooks, newest first',
    query: Page,
    response: Type.Object({
      events: Type.Array(Event),
      total_count: Type.Integer(),
      page: Type.Integer(),
      per_page: Type.Integer(),
      next_cursor: Type.Union([Type.String(), Type.Null()])
    }),
    async handle({ query: { page, per_page, cursor } }) {
      const { events, total } = await eventStore.list(db, {
        limit: per_page,
        offset: (page - 1) * per_page,
        ...(cursor === undefined ? {} : { before: Number(cursor) })
      })
      const linked = await links?.of(events.map(event => event.id))
      return {
        events: events.map(event => toWire(event, linked?.get(event.id), links !== undefined)),
        total_count: total,
        page,
        per_page,
        next_cursor: events.length === per_page ? String(events.at(-1)?.id) : null
      }
    }
  })
  app.route({
    method: 'GET',
    path: '/events/{id}',
    auth: 'user',
    summary: 'One webhook, its analysis and its notebook',
    params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
    response: Event,
    also: { 404: 'no event has this id' },
    async handle({ params: { id } }) {
      const event = await eventStore.find(db, id)
      if (!event) throw notFound('event', String(id), 'GET /v1/webhooks/events')
      return toWire(event, (await links?.of([id]))?.get(id), links !== undefined)
    }
  })
}
