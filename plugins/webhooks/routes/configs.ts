import {
  dayMs,
  defineRoute,
  invalid,
  notFound,
  RayneError,
  reply,
  Type,
  type Knex,
  type Route,
  type Static
} from '../../../core/index.ts'
import { webhooksErrors } from '../contract.ts'
import { matches, type ActOnAlert } from '../service/act-on-alert.ts'
import type { EventReader } from '../service/read-events.ts'
import { configStore, type NewConfig, type WebhookConfig } from '../store/configs.ts'

/** What the routes of configs need. */
export interface ConfigRoutes {
  readonly db: Knex
  readonly events: EventReader
  readonly acting: ActOnAlert
}

const text = (maxLength: number) => Type.String({ maxLength, pattern: '^[^\\x00]*$' })
const words = (description: string) =>
  Type.Array(text(300), { maxItems: 100, description: `${description}; none matches all` })
const Statuses = Type.Array(Type.Enum(['alert', 'warn', 'no_data', 'ok']), { maxItems: 4 })
const Url = Type.String({ pattern: '^https?://[^\\x00-\\x20]+$', maxLength: 2_000 })
const fields = {
  name: Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\x00]+$' }),
  url: Url,
  use_custom_payload: Type.Boolean(),
  custom_payload: Type.Union([text(100_000), Type.Null()]),
  forward_urls: Type.Array(Url, { maxItems: 20 }),
  forward_format: Type.Enum(['raw', 'signed'], {
    description: 'as it came, or signed as Standard Webhooks with RAYNE_NOTIFY_FORWARD_SECRET'
  }),
  auto_downtime: Type.Boolean({
    description: 'mutes the monitor in the scope of the alert until it recovers'
  }),
  downtime_duration_minutes: Type.Integer({ minimum: 1, maximum: 43_200 }),
  downtime_statuses: Statuses,
  after_recovery: Type.Boolean({ description: 'mutes after the recovery instead' }),
  notify_enabled: Type.Boolean(),
  notify_numbers: Type.Array(text(100), { maxItems: 100 }),
  active: Type.Boolean(),
  accounts: words('names of accounts'),
  monitor_ids: words('ids of monitors'),
  tags: words('tags, of which an event has one'),
  statuses: Statuses
}
const defaults: Omit<NewConfig, 'name' | 'url'> = {
  use_custom_payload: false,
  custom_payload: null,
  forward_urls: [],
  forward_format: 'raw',
  auto_downtime: false,
  downtime_duration_minutes: 120,
  downtime_statuses: ['alert'],
  after_recovery: false,
  notify_enabled: false,
  notify_numbers: [],
  active: true,
  accounts: [],
  monitor_ids: [],
  tags: [],
  statuses: []
}
const closed = { additionalProperties: false }
const Changes = Type.Partial(Type.Object(fields), closed)
const Wanted = Type.Object({ ...Changes.properties, name: fields.name, url: fields.url }, closed)
const Config = Type.Object({ id: Type.Integer(), ...fields, created_at: Type.String() })
const ConfigId = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
})
const noConfig = { 404: 'no webhook config has this id' }
const maxTried = 2_000

const wire = (config: WebhookConfig): Static<typeof Config> => ({
  ...config,
  forward_urls: [...config.forward_urls],
  downtime_statuses: [...config.downtime_statuses] as Static<typeof Statuses>,
  notify_numbers: [...config.notify_numbers],
  accounts: [...config.accounts],
  monitor_ids: [...config.monitor_ids],
  tags: [...config.tags],
  statuses: [...config.statuses] as Static<typeof Statuses>,
  created_at: config.created_at.toISOString()
})

/** What is done with the events that match. */
export const configRoutes = (needs: ConfigRoutes): Route[] => [
  ...readingRoutes(needs),
  ...changingRoutes(needs)
]

const changingRoutes = ({ db, acting }: ConfigRoutes): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/webhooks/config',
    auth: 'admin',
    summary: 'Say what is done with events that match: forwarded, muted while they last',
    body: Wanted,
    response: Config,
    status: 201,
    also: { 409: 'another config has this name' },
    async handle({ body }) {
      const made = await configStore.create(db, { ...defaults, ...body })
      if (!made) throw nameTaken(body.name)
      acting.forget()
      return reply(201, wire(made))
    }
  }),
  defineRoute({
    method: 'PUT',
    path: '/webhooks/config/{id}',
    auth: 'admin',
    summary: 'Change what is given of a config',
    params: ConfigId,
    body: Changes,
    response: Config,
    also: { ...noConfig, 409: 'another config has this name' },
    async handle({ params: { id }, body }) {
      await found(db, id)
      const other = body.name === undefined ? undefined : await configStore.named(db, body.name)
      if (other && other.id !== id) throw nameTaken(other.name)
      if (Object.keys(body).length === 0) throw invalid('/body', 'changes at least one field')
      await configStore.change(db, id, body)
      acting.forget()
      return wire(await found(db, id))
    }
  }),
  defineRoute({
    method: 'DELETE',
    path: '/webhooks/config/{id}',
    auth: 'admin',
    summary: 'Delete a config',
    params: ConfigId,
    response: Type.Object({ message: Type.String() }),
    also: noConfig,
    async handle({ params: { id } }) {
      const { name } = await found(db, id)
      await configStore.remove(db, id)
      acting.forget()
      return { message: `config ${name} deleted` }
    }
  })
]

const readingRoutes = ({ db, events }: ConfigRoutes): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/webhooks/config',
    auth: 'user',
    summary: 'The configs that are active, or all of them',
    query: Type.Object({ all: Type.Boolean({ default: false }) }, closed),
    response: Type.Array(Config),
    handle: async ({ query: { all } }) => (await configStore.list(db, { active: !all })).map(wire)
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/config/{id}',
    auth: 'user',
    summary: 'One config',
    params: ConfigId,
    response: Config,
    also: noConfig,
    handle: async ({ params: { id } }) => wire(await found(db, id))
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks/config/dry-run',
    auth: 'user',
    summary: "Which of the last 7 days' events a config would match; nothing is done",
    description: `At most ${maxTried} of the newest are looked at.`,
    body: Changes,
    response: Type.Object({
      looked_at: Type.Integer(),
      matched: Type.Integer(),
      event_ids: Type.Array(Type.Integer(), { description: 'at most 100, newest first' }),
      truncated: Type.Boolean()
    }),
    handle: ({ body, signal }) => dryRun(events, { ...defaults, ...body }, signal)
  })
]

async function dryRun(
  events: EventReader,
  config: Omit<NewConfig, 'name' | 'url'>,
  signal: AbortSignal
) {
  const filter = { from: new Date(Date.now() - 7 * dayMs) }
  const matched: number[] = []
  let [lookedAt, total] = [0, 0]
  for (let before: number | undefined; lookedAt < maxTried;) {
    signal.throwIfAborted()
    const page = await events.list({
      filter,
      limit: 200,
      offset: 0,
      ...(before === undefined ? {} : { before })
    })
    total = page.total
    for (const { id, account, alert } of page.events)
      if (matches(config, account, alert)) matched.push(id)
    lookedAt += page.events.length
    before = page.events.at(-1)?.id
    if (page.events.length < 200) break
  }
  return {
    looked_at: lookedAt,
    matched: matched.length,
    event_ids: matched.slice(0, 100),
    truncated: lookedAt < total
  }
}

async function found(db: Knex, id: number): Promise<WebhookConfig> {
  const config = await configStore.find(db, id)
  if (!config) throw notFound('config', String(id), 'GET /v1/webhooks/config')
  return config
}

const nameTaken = (name: string): RayneError =>
  new RayneError({
    code: webhooksErrors['config-name-taken'],
    message: `another webhook config is named '${name}'`
  })
