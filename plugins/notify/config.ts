import { bootError, compile, errorText, Type, type Static } from '../../core/index.ts'

const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,63}$' })
const Url = Type.String({ pattern: '^https?://', maxLength: 2_000 })
const Secret = Type.String({ minLength: 1, maxLength: 2_000 })
const closed = { additionalProperties: false }
const kind = <K extends string>(name: K) => ({ name: Name, kind: Type.Literal(name) })

/** One channel of each kind, as `RAYNE_NOTIFY_CHANNELS` lists them. */
const kinds = {
  desktop: Type.Object({ ...kind('desktop'), url: Url }, closed),
  webhook: Type.Object({ ...kind('webhook'), url: Url, secret: Secret }, closed),
  slack: Type.Object(
    {
      ...kind('slack'),
      webhook_url: Type.Optional(Url),
      token: Type.Optional(Secret),
      channel: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
      api_url: Type.Optional(Url)
    },
    closed
  ),
  teams: Type.Object({ ...kind('teams'), url: Url }, closed),
  ntfy: Type.Object(
    {
      ...kind('ntfy'),
      url: Url,
      topic: Type.String({ pattern: '^[\\w-]{1,64}$' }),
      token: Type.Optional(Secret)
    },
    closed
  ),
  pagerduty: Type.Object(
    { ...kind('pagerduty'), routing_key: Secret, url: Type.Optional(Url) },
    closed
  ),
  apprise: Type.Object({ ...kind('apprise'), url: Url }, closed),
  email: Type.Object(
    {
      ...kind('email'),
      smtp_url: Type.String({ pattern: '^smtps?://', maxLength: 2_000 }),
      from: Type.String({ pattern: '^[^\\r\\n]{3,200}$' }),
      to: Type.Array(Type.String({ pattern: '^[^\\r\\n]{3,200}$' }), { minItems: 1, maxItems: 50 })
    },
    closed
  )
}
export type ChannelSettings = { readonly [K in keyof typeof kinds]: Static<(typeof kinds)[K]> }

const Words = Type.Optional(
  Type.Array(Type.String({ maxLength: 200 }), { minItems: 1, maxItems: 50 })
)
const Clock = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' })
/** Who gets what: a route takes a message when every word it has fits; one without words takes all. */
export const Route = Type.Object(
  {
    name: Name,
    channels: Type.Array(Name, { minItems: 1, maxItems: 20 }),
    accounts: Words,
    services: Words,
    teams: Words,
    tags: Words,
    severities: Type.Optional(
      Type.Array(Type.Enum(['critical', 'warning', 'info']), { minItems: 1 })
    ),
    states: Type.Optional(
      Type.Array(Type.Enum(['firing', 'analysed', 'failed', 'resolved']), { minItems: 1 })
    ),
    /** What is not critical waits until the end. */
    quiet: Type.Optional(
      Type.Object(
        { from: Clock, to: Clock, timezone: Type.String({ maxLength: 60, default: 'UTC' }) },
        closed
      )
    ),
    per_hour: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    /** Whom else to tell when nobody has acknowledged it by then. */
    escalate: Type.Optional(
      Type.Object(
        {
          after_minutes: Type.Integer({ minimum: 1, maximum: 10_080 }),
          channels: Type.Array(Name, { minItems: 1, maxItems: 20 })
        },
        closed
      )
    )
  },
  closed
)
export type Route = Static<typeof Route>

export const config = Type.Object(
  {
    server_urls: Type.String({
      default: '',
      maxLength: 10_000,
      env: ['NOTIFY_SERVER_URLS', 'NOTIFY_SERVER_URL'],
      description: 'Desktop notification servers (`rayne notify-server`), separated by commas.'
    }),
    channels: Type.String({
      default: '[]',
      writeOnly: true,
      description: 'Channels as a JSON list, e.g. [{"name":"ops","kind":"ntfy","url":…,"topic":…}].'
    }),
    routes: Type.String({
      default: '[]',
      description: 'Routes as a JSON list; without any, every channel gets every message.'
    }),
    forward_secret: Type.String({
      default: '',
      writeOnly: true,
      pattern: '^$|^(?:whsec_)?[A-Za-z0-9+/=-]{16,}$',
      description: 'Signs the webhooks that a config wants forwarded signed; whsec_… in base64.'
    }),
    url: Type.String({
      default: '',
      env: ['RAYNE_PUBLIC_URL'],
      description: 'Address people reach this server at, for the links of messages.'
    })
  },
  { additionalProperties: false }
)
export type Config = Static<typeof config>

/** Any of the settings of a channel. */
export type AnyChannel = ChannelSettings[keyof ChannelSettings]

/** Reads the channels and routes, or throws a boot error that names the entry and the field. */
export function readChannels(settings: Config): {
  readonly channels: readonly AnyChannel[]
  readonly routes: readonly Route[]
} {
  const desktops = settings.server_urls
    .split(',')
    .map(url => url.trim())
    .filter(url => url !== '')
    .map((url, n) => ({
      name: n === 0 ? 'desktop' : `desktop-${n + 1}`,
      kind: 'desktop' as const,
      url
    }))
  const channels = [
    ...desktops.map((entry, n) => readChannel(entry, `NOTIFY_SERVER_URLS, entry ${n + 1}`)),
    ...readList('CHANNELS', settings.channels).map((entry, n) =>
      readChannel(entry, `RAYNE_NOTIFY_CHANNELS, entry ${n + 1}`)
    )
  ]
  const names = channels.map(({ name }) => name)
  const twice = names.find((name, n) => names.indexOf(name) !== n)
  if (twice !== undefined) throw bootError(`two notify channels are named '${twice}'`)
  const readRoute = compile(Route)
  const routes = readList('ROUTES', settings.routes).map((entry, n) => {
    const where = `RAYNE_NOTIFY_ROUTES, entry ${n + 1}`
    const route = checked(() => readRoute(entry, 'route'), where)
    const named = [...route.channels, ...(route.escalate?.channels ?? [])]
    const stranger = named.find(name => !names.includes(name))
    if (stranger !== undefined)
      throw bootError(
        `${where}: there is no channel '${stranger}'; there are ${names.join(', ') || 'none'}`
      )
    if (route.quiet && !isTimezone(route.quiet.timezone))
      throw bootError(`${where}: '${route.quiet.timezone}' is no time zone, such as Europe/Paris`)
    return route
  })
  return { channels, routes }
}

const readers = Object.fromEntries(
  Object.entries(kinds).map(([name, schema]) => [name, compile(schema)])
)

function readChannel(entry: unknown, where: string): AnyChannel {
  const named = (entry as { kind?: unknown } | null)?.kind
  const read = readers[String(named)]
  if (!read) throw bootError(`${where}: kind must be one of ${Object.keys(kinds).join(', ')}`)
  const channel = checked(() => read(entry, 'channel') as AnyChannel, where)
  if (channel.kind === 'slack' && !channel.webhook_url && !(channel.token && channel.channel))
    throw bootError(`${where}: slack needs webhook_url, or token and channel`)
  if (channel.kind === 'webhook' && !/^(?:whsec_)?[\w+/=-]{16,}$/.test(channel.secret))
    throw bootError(`${where}: secret must be base64, as whsec_… of the Standard Webhooks`)
  return channel
}

function readList(name: string, text: string): unknown[] {
  const value = checked(() => JSON.parse(text) as unknown, `RAYNE_NOTIFY_${name} is not JSON`)
  if (!Array.isArray(value)) throw bootError(`RAYNE_NOTIFY_${name} must be a JSON list`)
  return value
}

function checked<T>(read: () => T, where: string): T {
  try {
    return read()
  } catch (error) {
    throw bootError(`${where}: ${errorText(error)}`)
  }
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format() !== ''
  } catch {
    return false
  }
}
