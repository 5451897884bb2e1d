import {
  notFound,
  RayneError,
  errorText,
  Type,
  type JobHandle,
  type Knex,
  type PluginApp
} from '../../core/index.ts'
import { notifyErrors, type Channel, type Message } from './contract.ts'
import type { Outbox, Send } from './service/outbox.ts'
import { messageStore, type Delivery } from './store.ts'

const nullableText = Type.Union([Type.String(), Type.Null()])
const DeliveryBody = Type.Object({
  id: Type.Integer(),
  thread: Type.Integer(),
  channel: Type.String(),
  title: Type.String(),
  revision: Type.Integer(),
  state: Type.String({ description: 'pending, waiting, sent, superseded or failed' }),
  attempts: Type.Integer(),
  reason: nullableText,
  next_at: nullableText,
  created_at: Type.String(),
  ended_at: nullableText
})
const Id = Type.Object({ id: Type.String({ pattern: '^[0-9]{1,15}$' }) })
const Sent = Type.Object({ channel: Type.String(), ok: Type.Boolean(), error: nullableText })

export interface NotifyRoutes {
  readonly db: Knex
  readonly channels: readonly Channel[]
  readonly outbox: Outbox
  readonly deliver: JobHandle<Send>
}

const bodyOf = (delivery: Delivery) => ({
  id: delivery.id,
  thread: delivery.threadId,
  channel: delivery.channel,
  title: delivery.title,
  revision: delivery.revision,
  state: delivery.state,
  attempts: delivery.attempts,
  reason: delivery.reason,
  next_at: delivery.nextAt?.toISOString() ?? null,
  created_at: delivery.createdAt.toISOString(),
  ended_at: delivery.endedAt?.toISOString() ?? null
})

export function routes(app: PluginApp<unknown>, parts: NotifyRoutes): void {
  deliveryRoutes(app, parts)
  channelRoutes(app, parts)
  app.route({
    method: 'GET',
    path: '/route',
    auth: 'user',
    summary: 'Which channels would take a message, and why; nothing is sent',
    query: Type.Object(
      {
        account: Type.Optional(Type.String({ maxLength: 255 })),
        service: Type.Optional(Type.String({ maxLength: 255 })),
        team: Type.Optional(Type.String({ maxLength: 255 })),
        tags: Type.String({ maxLength: 2_000, default: '', description: 'separated by commas' }),
        severity: Type.Enum(['critical', 'warning', 'info'], { default: 'critical' }),
        state: Type.Enum(['firing', 'analysed', 'failed', 'resolved'], { default: 'firing' })
      },
      { additionalProperties: false }
    ),
    response: Type.Object({
      channels: Type.Array(
        Type.Object({
          channel: Type.String(),
          route: nullableText,
          waits_seconds: Type.Integer(),
          per_hour: Type.Union([Type.Integer(), Type.Null()])
        })
      )
    }),
    handle({ query: { account = null, service = null, team = null, tags, severity, state } }) {
      const message = { ...testMessage(), severity, state }
      const facts = { account, service, team, tags: tags.split(',').filter(Boolean) }
      return {
        channels: parts.outbox.choose(message, facts).map(({ channel, route, ...one }) => ({
          channel,
          route,
          waits_seconds: one.waitSeconds,
          per_hour: one.perHour
        }))
      }
    }
  })
}

function deliveryRoutes(app: PluginApp<unknown>, { db, deliver }: NotifyRoutes): void {
  app.route({
    method: 'GET',
    path: '/deliveries',
    auth: 'user',
    summary: 'Messages on their way and sent, newest first, with what became of each',
    query: Type.Object(
      {
        channel: Type.Optional(Type.String({ maxLength: 64 })),
        state: Type.Optional(Type.Enum(['pending', 'waiting', 'sent', 'superseded', 'failed'])),
        limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
        cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' }))
      },
      { additionalProperties: false }
    ),
    response: Type.Object({ deliveries: Type.Array(DeliveryBody), next_cursor: nullableText }),
    async handle({ query: { channel, state, limit, cursor } }) {
      const found = await messageStore.list(
        db,
        {
          ...(channel === undefined ? {} : { channel }),
          ...(state === undefined ? {} : { state }),
          ...(cursor === undefined ? {} : { before: Number(cursor) })
        },
        limit
      )
      const last = found.length === limit ? found.at(-1) : undefined
      return { deliveries: found.map(bodyOf), next_cursor: last ? String(last.id) : null }
    }
  })
  app.route({
    method: 'POST',
    path: '/deliveries/{id}/redrive',
    auth: 'user',
    summary: 'Puts a delivery that failed in line again',
    params: Id,
    response: DeliveryBody,
    also: { 404: 'no delivery has this id', 409: 'it has not failed' },
    async handle({ params: { id } }) {
      const wanted = Number(id)
      await db.transaction(async trx => {
        if (await messageStore.redrive(trx, wanted))
          await deliver.enqueue({ deliveryId: wanted }, { trx })
      })
      const delivery = await messageStore.delivery(db, wanted)
      if (!delivery) throw notFound('delivery', id, 'GET /v1/notify/deliveries')
      if (delivery.state !== 'pending')
        throw new RayneError({
          code: notifyErrors['delivery-not-failed'],
          message: `delivery ${id} is ${delivery.state}: only a failed one can be sent again`
        })
      return bodyOf(delivery)
    }
  })
}

function channelRoutes(app: PluginApp<unknown>, { channels }: NotifyRoutes): void {
  app.route({
    method: 'GET',
    path: '/channels',
    auth: 'user',
    summary: 'The channels that are configured, without their secrets',
    response: Type.Object({
      channels: Type.Array(
        Type.Object({ name: Type.String(), kind: Type.String(), edits: Type.Boolean() })
      )
    }),
    handle: () => ({
      channels: channels.map(({ name, kind, update }) => ({
        name,
        kind,
        edits: update !== undefined
      }))
    })
  })
  app.route({
    method: 'POST',
    path: '/channels/{name}/test',
    auth: 'user',
    summary: 'Sends a test message through one channel now, and says what came of it',
    params: Type.Object({ name: Type.String({ maxLength: 64 }) }),
    response: Sent,
    also: { 404: 'no channel has this name' },
    async handle({ params: { name }, signal }) {
      const channel = channels.find(each => each.name === name)
      if (!channel) throw unknownChannel(name, channels)
      return sendTest(channel, signal)
    }
  })
  app.raw(
    'POST',
    '/v1/webhooks/test-notify',
    { summary: 'The first version: a test message to every desktop server', auth: 'user' },
    async ctx => {
      const desktops = channels.filter(({ kind }) => kind === 'desktop')
      const signal = AbortSignal.timeout(20_000)
      const sent = await Promise.all(desktops.map(each => sendTest(each, signal)))
      ctx.body = {
        urls: desktops.map(({ name }) => name).join(','),
        results: Object.fromEntries(
          sent.map(({ channel, error }) => [
            channel,
            error === null ? 'status: 200 OK' : `error: ${error}`
          ])
        )
      }
    }
  )
}

function unknownChannel(name: string, channels: readonly Channel[]): RayneError {
  const known = channels.map(each => each.name).join(', ') || 'none'
  const message = `there is no channel '${name.slice(0, 64)}'; there are ${known}`
  return new RayneError({ code: notifyErrors['channel-not-found'], message })
}

async function sendTest(channel: Channel, signal: AbortSignal) {
  const id = `msg_test_${Date.now()}`
  return channel.send(testMessage(), { id, signal }).then(
    () => ({ channel: channel.name, ok: true, error: null }),
    (error: unknown) => ({ channel: channel.name, ok: false, error: errorText(error) })
  )
}

const testMessage = (): Message => ({
  key: 'test',
  revision: 1,
  state: 'test',
  severity: 'info',
  title: 'Test',
  lines: ['Direct test notification'],
  links: [],
  account: null,
  service: null,
  at: Date.now(),
  members: 1,
  monitorType: null
})
