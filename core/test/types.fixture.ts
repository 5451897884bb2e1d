import { createToken, defineEvent, definePlugin, defineTool, reply, Type } from '../index.ts'

interface Mailer {
  send(to: string): Promise<void>
}
const MailerToken = createToken<Mailer>('fixture.mailer')
const CounterToken = createToken<{ readonly count: number }>('fixture.counter')
const Happened = defineEvent('fixture.happened', Type.Object({ id: Type.String() }))
const Input = Type.Object({ query: Type.String(), limit: Type.Optional(Type.Integer()) })

/** Each `@ts-expect-error` stands above a misuse; its twin without one is right. */
export const services = definePlugin({
  id: 'services',
  version: '1.0.0',
  needs: { counter: CounterToken },
  wants: { mailer: MailerToken },
  provides: [CounterToken],
  async register(app, { counter, mailer }) {
    await mailer?.send('someone')
    // @ts-expect-error 18048: a wanted service may be absent
    await mailer.send('someone')
    app.provide(CounterToken, { count: counter.count })
    // @ts-expect-error 2322: the wrong shape is provided
    app.provide(CounterToken, { count: 'many' })
    // @ts-expect-error 2339: nobody asked for this service
    app.log.info({ x: counter.missing }, 'read')
  }
})

export const config = definePlugin({
  id: 'config',
  version: '1.0.0',
  config: Type.Object({ limit: Type.Integer({ default: 3 }) }),
  register(app) {
    const limit: number = app.config.limit
    // @ts-expect-error 2322: the setting is a number
    const text: string = app.config.limit
    // @ts-expect-error 2339: there is no such setting
    app.log.info({ limit, text, other: app.config.other }, 'read')
  }
})

export const work = definePlugin({
  id: 'work',
  version: '1.0.0',
  async register(app) {
    const job = app.job('send', {
      payload: Type.Object({ to: Type.String() }),
      run: async ({ to }) => {
        app.log.info({ to }, 'sent')
      }
    })
    await job.enqueue({ to: 'someone' }, { key: 'once' })
    // @ts-expect-error 2322: the payload is a string
    await job.enqueue({ to: 1 })
    // @ts-expect-error 2741: the payload is not complete
    await app.db.transaction(trx => job.enqueueAll(trx, [{}]))
    await app.db.transaction(trx => app.emit(trx, Happened, { id: 'a' }, { id: 'b' }))
    // @ts-expect-error 2322: the event's id is a string
    await app.db.transaction(trx => app.emit(trx, Happened, { id: 1 }))
    // @ts-expect-error 2740: an event is emitted in a transaction
    await app.emit(app.db, Happened, { id: 'a' })
    app.on(Happened, async ({ id }) => {
      app.log.info({ id }, 'seen')
    })
    // @ts-expect-error 2339: the event has no such field
    app.on(Happened, async ({ name }) => {
      app.log.info({ name }, 'seen')
    })
  }
})

export const routes = definePlugin({
  id: 'routes',
  version: '1.0.0',
  register(app) {
    const common = {
      method: 'GET',
      auth: 'user',
      summary: 'x',
      response: Type.Object({ count: Type.Integer() })
    } as const
    app.route({
      ...common,
      path: '/right',
      params: Type.Object({ id: Type.String() }),
      handle: ({ params }) => ({ count: params.id.length })
    })
    app.route({
      ...common,
      path: '/bytes',
      rawBody: true,
      handle: ({ body }) => ({ count: body.readUInt8(0) })
    })
    app.route({
      ...common,
      path: '/not-bytes',
      body: Type.Object({ count: Type.Integer() }),
      // @ts-expect-error 2339: the body is what its schema says
      handle: ({ body }) => ({ count: body.readUInt8(0) })
    })
    app.route({ ...common, path: '/replied', handle: () => reply(200, { count: 1 }) })
    // @ts-expect-error 2322: the response's count is a number
    app.route({ ...common, path: '/wrong', handle: () => ({ count: 'one' }) })
    // @ts-expect-error 2322: so is the replied one
    app.route({ ...common, path: '/wrong-reply', handle: () => reply(200, { count: 'one' }) })
    app.route({
      ...common,
      path: '/{id}',
      params: Type.Object({ id: Type.String() }),
      // @ts-expect-error 2339: the parameter is called id
      handle: ({ params }) => ({ count: params.ids.length })
    })
    // @ts-expect-error 2322: no such access class
    app.route({ ...common, path: '/access', auth: 'everybody', handle: () => ({ count: 1 }) })
    // @ts-expect-error 2741: a route names its access class
    app.route({
      method: 'GET',
      path: '/none',
      summary: 'x',
      response: Type.Object({}),
      handle: () => ({})
    })
  }
})

export const commands = definePlugin({
  id: 'commands',
  version: '1.0.0',
  register(app) {
    const common = { name: 'count', summary: 'x' } as const
    const Options = Type.Object({ limit: Type.Integer({ default: 3 }) })
    app.command({
      ...common,
      arguments: Type.Object({ file: Type.String() }),
      options: Options,
      run: ({ file, limit }, { say }) => {
        say(file)
        return { value: { file, limit }, lines: [file.repeat(limit)] }
      }
    })
    app.command({
      ...common,
      options: Options,
      // @ts-expect-error 2339: the option is called limit
      run: ({ limits }) => ({ value: limits, lines: [] })
    })
    app.command({
      ...common,
      options: Options,
      // @ts-expect-error 2339: the limit is a number
      run: ({ limit }) => ({ value: 1, lines: [limit.toUppercase()] })
    })
    // @ts-expect-error 2322: lines are texts
    app.command({ ...common, run: () => ({ value: 1, lines: [1] }) })
    // @ts-expect-error 2322: a command answers with a value as well
    app.command({ ...common, run: () => ({ lines: [] }) })
    // @ts-expect-error 2739: options are an object's schema
    app.command({ ...common, options: Type.String(), run: () => ({ value: 1, lines: [] }) })
  }
})

const tool = {
  name: 'count',
  title: 'Count',
  effect: 'read',
  description: 'Counts',
  input: Input,
  output: Type.Object({ count: Type.Integer() }),
  needs: { counter: CounterToken },
  timeoutMs: 1_000
} as const
export const tools = [
  defineTool({
    ...tool,
    examples: [{ input: { query: 'status:error' } }, { input: { query: 'x', limit: 3 } }],
    async run({ query }, _context, { counter }) {
      return { count: query.length + counter.count }
    }
  }),
  defineTool({
    ...tool,
    // @ts-expect-error 2322: the example's query is a string
    examples: [{ input: { query: 1 } }],
    async run() {
      return { count: 1 }
    }
  }),
  defineTool({
    ...tool,
    // @ts-expect-error 2741: the example has no query
    examples: [{ input: {} }],
    async run() {
      return { count: 1 }
    }
  }),
  defineTool({
    ...tool,
    examples: [],
    // @ts-expect-error 2322: the result's count is a number
    async run() {
      return { count: 'one' }
    }
  })
]
