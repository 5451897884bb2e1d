import { compile, Type } from '../../../core/index.ts'
import type { Told } from '../service/live.ts'
import { readFilter } from '../wire/filter.ts'
import { Filter } from '../wire/schemas.ts'
import { isSessionId, unknownSession } from '../wire/session-id.ts'
import type { AddRoute } from './add-route.ts'

/** Everything that passes the filters of the list, as JSON lines. */
export const exportRoute: AddRoute = (app, datacat) => {
  const check = compile(Filter, 'coerce')
  app.raw(
    'GET',
    '/v1/datacat/export',
    {
      summary: 'Sessions with everything in them as JSON lines; takes the filters of the list',
      auth: 'user',
      about: { query: Filter }
    },
    (ctx, caller) => {
      const filter = readFilter(check({ ...ctx.query }, 'query'))
      const body = datacat.streams.export(ctx, caller, () => datacat.exporter.lines(filter))
      ctx.status = 200
      ctx.set('content-type', 'application/x-ndjson')
      ctx.set('content-disposition', 'attachment; filename="datacat.jsonl"')
      ctx.body = body
    }
  )
}

/** Changes as they are committed, as server-sent events. */
export const liveRoute: AddRoute = (app, datacat) =>
  app.raw(
    'GET',
    '/v1/datacat/live',
    {
      summary:
        'Changes as they are committed: server-sent events `session`, ' +
        'and with ?session=<id> also `event`, `metric` and `state`',
      auth: 'user',
      about: { query: Type.Object({ session: Type.Optional(Type.String({ format: 'uuid' })) }) }
    },
    async (ctx, caller) => {
      const id = ctx.query['session']
      const session =
        typeof id === 'string' && isSessionId(id)
          ? await datacat.live.find(id.toLowerCase())
          : undefined
      if (id !== undefined && !session) throw unknownSession(String(id))
      const body = datacat.streams.live(ctx, caller, gone =>
        texts(datacat.live.feed(session, gone))
      )
      ctx.status = 200
      ctx.set({
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache',
        'x-accel-buffering': 'no'
      })
      ctx.body = body
    }
  )

async function* texts(feed: AsyncGenerator<Told | null>): AsyncGenerator<string> {
  yield 'retry: 2000\n\n'
  for await (const told of feed)
    yield told === null
      ? ': still here\n\n'
      : `event: ${told.event}\ndata: ${JSON.stringify(told.data)}\n\n`
}
