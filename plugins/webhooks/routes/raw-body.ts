import { invalid, notFound, Type, type PluginApp } from '../../../core/index.ts'
import type { EventReader } from '../service/read-events.ts'

const Delivery = Type.Object({
  delivery: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 1,
    description: '1 is the first; the others came under the same id with other bytes'
  })
})
const wholeNumber = /^[1-9]\d{0,14}$/

/** `GET …/events/{id}/raw`: the bytes as they came, which no browser shows as a page. */
export function rawBodyRoute(app: PluginApp<unknown>, prefix: string, events: EventReader): void {
  const about = {
    description: 'As they came: still packed where they came packed.',
    query: Delivery,
    response: Type.String({ contentMediaType: 'application/octet-stream' })
  }
  app.raw(
    'GET',
    `${prefix}/events/{id}/raw`,
    { summary: "A webhook's own bytes", auth: 'user', about },
    async ctx => {
      const id = String(ctx['params'].id)
      if (!wholeNumber.test(id)) throw invalid('/path/id', 'must be a whole number above 0')
      const delivery = String(ctx.query['delivery'] ?? '1')
      if (!wholeNumber.test(delivery))
        throw invalid('/query/delivery', 'must be a whole number above 0')
      const body = await events.body(Number(id), Number(delivery))
      if (!body) throw notFound('event', id, 'GET /v1/webhooks/events')
      ctx.set({
        'content-disposition': `attachment; filename="webhook-${id}"`,
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox"
      })
      ctx.type = 'application/octet-stream'
      ctx.body = body.raw
    }
  )
}
