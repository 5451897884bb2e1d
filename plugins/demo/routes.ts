import {
  nowMs,
  RayneError,
  reply,
  Type,
  type PluginApp,
  type Reply,
  type Static
} from '../../core/index.ts'
import { demoErrors } from './contract.ts'
import type { EventLinks, Webhooks } from '../webhooks/contract.ts'
import { makeAlert, makeMonitor } from './service/make-alerts.ts'

const Count = (most: number, usual: number) =>
  Type.Integer({ minimum: 1, maximum: most, default: usual })
const Query = <T extends Parameters<typeof Type.Object>[0]>(fields: T) =>
  Type.Object(fields, { additionalProperties: false })
const Counts = Type.Record(Type.String(), Type.Integer())
const Failure = Type.Object({
  error: Type.String(),
  error_type: Type.String(),
  status: Type.Integer(),
  demo: Type.Boolean()
})

/** The kinds of failure and their status; `server` takes the code that is asked for. */
const failures: Readonly<Record<string, { readonly status?: number; readonly text: string }>> = {
  server: { text: 'Internal server error' },
  timeout: { status: 504, text: 'The request timed out' },
  database: { status: 500, text: 'The database does not answer' },
  upstream: { status: 502, text: 'An upstream service failed' },
  validation: { status: 400, text: 'The input is not valid' },
  auth: { status: 401, text: 'Log in first' },
  forbidden: { status: 403, text: 'You may not do this' },
  notfound: { status: 404, text: 'There is no such thing' },
  ratelimit: { status: 429, text: 'Too many requests' },
  unavailable: { status: 503, text: 'The service is unavailable' }
}
const kinds = Object.keys(failures)

/** Data to look at and failures to handle; `webhooks` is undefined when nobody receives any. */
export function routes(
  app: PluginApp<unknown>,
  webhooks: Webhooks | undefined,
  links: EventLinks | undefined
): void {
  seeding(app, webhooks)
  looking(app, webhooks, links)
  app.route({
    method: 'GET',
    path: '/error',
    auth: 'user',
    summary: 'Answer with the failure that is asked for',
    description: 'For clients that want to see how they take it.',
    query: Query({
      code: Type.Integer({ minimum: 400, maximum: 599, default: 500 }),
      type: Type.Union(
        [...kinds, 'random'].map(kind => Type.Literal(kind)),
        { default: 'server' }
      ),
      message: Type.Optional(Type.String({ maxLength: 500 }))
    }),
    response: Failure,
    also: Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => 400 + i).map(code => [code, 'as asked for'])
    ),
    handle: ({ query }) => failure(query.code, String(query.type), query.message)
  })
}

/** `random` follows from the code, so that the same request fails in the same way. */
function failure(
  code: number,
  asked: string,
  message: string | undefined
): Reply<Static<typeof Failure>> {
  const kind = asked === 'random' ? (kinds[code % kinds.length] ?? 'server') : asked
  const status = failures[kind]?.status ?? code
  return reply(status, {
    error: message ?? failures[kind]?.text ?? '',
    error_type: kind,
    status,
    demo: true
  })
}

const noWebhooks = (): RayneError =>
  new RayneError({
    code: demoErrors['webhooks-not-loaded'],
    message: 'no webhooks can be seeded: the webhooks plugin is not loaded'
  })
const noRum = 'the rum plugin is not there yet, so no sessions and no events can be made'

async function seedWebhooks(
  webhooks: Webhooks,
  count: number
): Promise<{ created: number; message: string }> {
  const now = nowMs()
  const created = await webhooks.storePast(
    Array.from({ length: count }, (_, i) => makeAlert(i, now)).map(({ key, agoMs, body }) => ({
      key,
      receivedAt: new Date(now - agoMs),
      body
    }))
  )
  const kept = count - created
  return {
    created,
    message:
      `${created} demo webhooks were stored at times of the last week and are not analysed` +
      (kept > 0 ? `; ${kept} were there already` : '')
  }
}

function seeding(app: PluginApp<unknown>, webhooks: Webhooks | undefined): void {
  app.route({
    method: 'POST',
    path: '/seed/webhooks',
    auth: 'admin',
    summary: 'Store demo webhooks',
    description:
      'They carry the tag demo:true and times of the last week, and are not analysed;' +
      ' calling it again adds nothing twice.',
    query: Query({ count: Count(500, 50) }),
    status: 201,
    also: { 501: 'the webhooks plugin is not loaded' },
    response: Type.Object({
      requested: Type.Integer(),
      created: Type.Integer(),
      message: Type.String()
    }),
    async handle({ query: { count } }) {
      if (!webhooks) throw noWebhooks()
      return { requested: count, ...(await seedWebhooks(webhooks, count)) }
    }
  })
  app.route({
    method: 'POST',
    path: '/seed/rum',
    auth: 'admin',
    summary: 'Store demo sessions',
    query: Query({ count: Count(1000, 100) }),
    status: 201,
    also: { 501: 'the rum plugin is not there yet' },
    response: Type.Object({ message: Type.String() }),
    handle: () => {
      throw new RayneError({
        code: demoErrors['rum-not-available'],
        message: `${noRum}; POST /v1/demo/seed/webhooks works`
      })
    }
  })
  app.route({
    method: 'POST',
    path: '/seed/all',
    auth: 'admin',
    summary: 'Store demo data of every kind there is',
    query: Query({ webhooks: Count(500, 50), rum: Count(1000, 100) }),
    status: 201,
    also: { 501: 'the webhooks plugin is not loaded' },
    response: Type.Object({
      webhooks_created: Type.Integer(),
      sessions_created: Type.Integer(),
      events_created: Type.Integer(),
      message: Type.String()
    }),
    async handle({ query }) {
      if (!webhooks) throw noWebhooks()
      const { created, message } = await seedWebhooks(webhooks, query.webhooks)
      return {
        webhooks_created: created,
        sessions_created: 0,
        events_created: 0,
        message: `${message}; ${noRum}`
      }
    }
  })
}

const LOOKED_AT = 2000

function looking(
  app: PluginApp<unknown>,
  webhooks: Webhooks | undefined,
  links: EventLinks | undefined
): void {
  const text = Type.String()
  app.route({
    method: 'GET',
    path: '/monitors',
    auth: 'user',
    summary: 'Made-up monitors',
    description: 'Nothing of them is stored.',
    query: Query({ count: Count(100, 20) }),
    response: Type.Object({
      count: Type.Integer(),
      monitors: Type.Array(
        Type.Object({
          id: Type.Integer(),
          name: text,
          type: text,
          status: text,
          overall_state: text,
          tags: Type.Array(text),
          created: text,
          modified: text,
          message: text
        })
      )
    }),
    handle: ({ query: { count } }) => ({
      count,
      monitors: Array.from({ length: count }, (_, i) => makeMonitor(i, nowMs()))
    })
  })
  app.route({
    method: 'GET',
    path: '/status',
    auth: 'user',
    summary: 'How many webhooks there are',
    response: Type.Object({
      webhook_stats: Type.Object({
        total_events: Type.Integer(),
        by_status: Counts,
        by_alert_status: Counts,
        last_24h: Type.Integer()
      }),
      message: text
    }),
    also: { 501: 'the webhooks plugin is not loaded' },
    async handle() {
      if (!webhooks) throw noWebhooks()
      return statusOf(webhooks, links)
    }
  })
}

async function statusOf(webhooks: Webhooks, links: EventLinks | undefined) {
  const { total, lastDay, byAlertStatus, waiting, settled } = await webhooks.counts(LOOKED_AT)
  const linked = await links?.of(waiting)
  const names = {
    pending: 'pending',
    running: 'processing',
    done: 'processed',
    failed: 'failed',
    cancelled: 'processed',
    skipped: 'skipped'
  } as const
  const by: Record<string, number> = { processed: settled }
  for (const id of waiting) {
    const state =
      links === undefined ? 'processed' : names[linked?.get(id)?.rca?.status ?? 'pending']
    by[state] = (by[state] ?? 0) + 1
  }
  const partial =
    settled + waiting.length < total ? ` by_status looks at the newest ${LOOKED_AT} alerts.` : ''
  return {
    webhook_stats: {
      total_events: total,
      by_status: by,
      by_alert_status: byAlertStatus,
      last_24h: lastDay
    },
    message: `The demo routes are there; rum has no numbers yet.${partial}`
  }
}
