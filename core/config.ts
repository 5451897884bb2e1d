import { homedir } from 'node:os'
import path from 'node:path'
import { Type, type Static, type TObject, type TSchema } from 'typebox'
import { bootError, RayneError } from './errors.ts'
import { registerSecret } from './redact.ts'
import { compile } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The settings of the process; each key is the environment variable's own name. */
export const ProcessSettings = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', minLength: 1 }),
  PORT: Type.Integer({ default: 8080, minimum: 0, maximum: 65535 }),
  RAYNE_HOME: Type.String({ default: '.rayne', minLength: 1 }),
  RAYNE_PLUGINS: Type.Optional(Type.String()),
  RAYNE_ROLE: Type.Unsafe<string>(
    Type.Enum(['web', 'worker', 'web,worker', 'worker,web'], { default: 'web,worker' })
  ),
  RAYNE_AUTH: Type.Union([Type.Literal('local'), Type.Literal('required')], { default: 'local' }),
  RAYNE_SECRET_KEY: Type.Optional(Type.String({ minLength: 32, writeOnly: true })),
  RAYNE_SECRET_KEY_PREVIOUS: Type.Optional(Type.String({ writeOnly: true })),
  RAYNE_INGEST_SECRETS: Type.Optional(Type.String({ writeOnly: true })),
  RAYNE_INGEST_RATE: Type.Integer({ default: 1_000, minimum: 0, maximum: 1_000_000 }),
  RAYNE_ADDRESS_CONNECTIONS: Type.Integer({ default: 1_000, minimum: 1, maximum: 10_000 }),
  RAYNE_TRUSTED_PROXIES: Type.Optional(Type.String()),
  RAYNE_ALLOWED_ORIGINS: Type.Optional(
    Type.String({ pattern: '^https?://[^/,\\s]+(\\s*,\\s*https?://[^/,\\s]+)*$' })
  ),
  RAYNE_PUBLIC_URL: Type.Optional(Type.String({ pattern: '^https?://[^/]+$' })),
  RAYNE_LOG_LEVEL: Type.Union(
    ['debug', 'info', 'warn', 'error', 'silent'].map(level => Type.Literal(level)),
    { default: 'info' }
  ),
  DATABASE_URL: Type.Optional(Type.String({ writeOnly: true })),
  DB_HOST: Type.Optional(Type.String()),
  DB_PORT: Type.Integer({ default: 5432 }),
  DB_USER: Type.String({ default: 'rayne' }),
  DB_PASSWORD: Type.Optional(Type.String({ writeOnly: true })),
  DB_NAME: Type.String({ default: 'rayne' }),
  DB_SSLMODE: Type.String({ default: 'disable' }),
  NODE_ENV: Type.Optional(Type.String())
})
const parseProcess = compile(ProcessSettings, 'coerce')

export interface Settings {
  readonly host: string
  readonly port: number
  /** Absolute folder of everything the process keeps on disk. */
  readonly home: string
  readonly plugins: readonly string[] | undefined
  readonly web: boolean
  readonly worker: boolean
  /** Whether every caller must prove who they are; loopback without it is the local admin. */
  readonly protected: boolean
  readonly secretKey: string | undefined
  readonly ingestSecrets: readonly string[]
  /** Requests a second of one sender's token, 0 is without a limit; connections of one address. */
  readonly ingestRate: number
  readonly addressConnections: number
  /** Pages of these origins may send to the routes of senders. */
  readonly allowedOrigins: readonly string[]
  readonly publicUrl: string | undefined
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly logLevel: string
  /** undefined = the embedded database. */
  readonly databaseUrl: string | undefined
  readonly production: boolean
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** The environment as settings, or a sentence that names the wrong variable. */
export function readSettings(environment: Environment): Settings {
  const raw = pick(environment, ProcessSettings)
  const env = named(() => parseProcess(raw, ''))
  for (const secret of [
    env.RAYNE_SECRET_KEY,
    env.DB_PASSWORD,
    env.DATABASE_URL && passwordOf(env.DATABASE_URL)
  ])
    registerSecret(secret)
  const ingestSecrets = list(env.RAYNE_INGEST_SECRETS)
  for (const secret of ingestSecrets) {
    registerSecret(secret)
    if (secret.length < 16)
      throw bootError(
        'RAYNE_INGEST_SECRETS: each secret needs at least 16 characters; make one with `openssl rand -hex 16`'
      )
  }
  const open = isLoopback(env.HOST)
  if (!open && !env.RAYNE_SECRET_KEY)
    throw bootError(
      `HOST=${env.HOST} is reachable from outside: set RAYNE_SECRET_KEY first (32 characters ` +
        'or more, e.g. `openssl rand -base64 32`), or leave HOST at 127.0.0.1'
    )
  return {
    host: env.HOST,
    port: env.PORT,
    home: homeFolder(env.RAYNE_HOME),
    plugins: env.RAYNE_PLUGINS === undefined ? undefined : list(env.RAYNE_PLUGINS),
    web: env.RAYNE_ROLE.includes('web'),
    worker: env.RAYNE_ROLE.includes('worker'),
    protected: !open || env.RAYNE_AUTH === 'required',
    secretKey: env.RAYNE_SECRET_KEY,
    ingestSecrets,
    ingestRate: env.RAYNE_INGEST_RATE,
    addressConnections: env.RAYNE_ADDRESS_CONNECTIONS,
    allowedOrigins: list(env.RAYNE_ALLOWED_ORIGINS),
    publicUrl: env.RAYNE_PUBLIC_URL,
    trustedProxies: list(env.RAYNE_TRUSTED_PROXIES),
    logLevel: env.RAYNE_LOG_LEVEL,
    databaseUrl: env.DATABASE_URL ?? databaseUrlOf(env),
    production: env.NODE_ENV === 'production'
  }
}

/** A folder as an absolute path; a leading `~` is the user's home, which not every user has. */
export function homeFolder(text: string): string {
  if (!/^~(?=\/|$)/.test(text)) return path.resolve(text)
  try {
    return path.join(homedir(), text.slice(1))
  } catch (error) {
    throw bootError(`'${text}': this user has no home folder; write the path in full`, error)
  }
}

function databaseUrlOf(env: Static<typeof ProcessSettings>): string | undefined {
  if (!env.DB_HOST) return undefined
  const login =
    encodeURIComponent(env.DB_USER) +
    (env.DB_PASSWORD ? `:${encodeURIComponent(env.DB_PASSWORD)}` : '')
  const place = `${env.DB_HOST}:${env.DB_PORT}/${encodeURIComponent(env.DB_NAME)}`
  const query = env.DB_SSLMODE === 'disable' ? '' : `?sslmode=${env.DB_SSLMODE}`
  return `postgres://${login}@${place}${query}`
}

/** The environment variable of a plugin's setting. */
export const settingName = (id: string, key: string): string =>
  `RAYNE_${id}_${key}`.toUpperCase().replaceAll('-', '_')

/**
 * One plugin's settings from `RAYNE_<PLUGIN>_<KEY>` and the aliases its schema lists under `env`; an unknown key is
 * refused.
 */
export function readPluginConfig(
  id: string,
  schema: TObject | undefined,
  environment: Environment
): unknown {
  const prefix = settingName(id, '')
  const properties: Record<
    string,
    TSchema & { env?: readonly string[]; writeOnly?: boolean; type?: string }
  > = schema?.properties ?? {}
  const known = new Map(Object.keys(properties).map(key => [`${prefix}${key.toUpperCase()}`, key]))
  const unknown = Object.keys(environment).find(name => name.startsWith(prefix) && !known.has(name))
  if (unknown)
    throw bootError(
      `${unknown} is not a setting of plugin '${id}'; it knows ${[...known.keys()].join(', ') || 'none'}`
    )
  const raw: Record<string, unknown> = {}
  const source = new Map<string, string>()
  for (const [name, key] of known) {
    const property = properties[key]
    const from = [name, ...(property?.env ?? [])].find(
      candidate => environment[candidate] !== undefined && environment[candidate] !== ''
    )
    if (!from) continue
    const text = environment[from] ?? ''
    source.set(key, from)
    raw[key] = property?.type === 'array' ? list(text) : text
    if (property?.writeOnly) registerSecret(text)
  }
  if (!schema) return {}
  return named(
    () => compile(schema, 'coerce')(raw, ''),
    key => source.get(key) ?? `${prefix}${key.toUpperCase()}`
  )
}

/** Turns a field error into a sentence about the environment variable the value came from. */
function named<T>(read: () => T, nameOf: (key: string) => string = key => key): T {
  try {
    return read()
  } catch (error) {
    const field = error instanceof RayneError ? error.details.errors?.[0] : undefined
    if (!field) throw error
    throw bootError(
      `${nameOf(field.pointer.split('/').find(Boolean) ?? '')} ${field.message}`,
      error
    )
  }
}

const pick = (environment: Environment, schema: TObject): Record<string, string> =>
  Object.fromEntries(
    Object.keys(schema.properties).flatMap(key =>
      environment[key] ? [[key, environment[key]]] : []
    )
  )
const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map(item => item.trim())
    .filter(Boolean)
const passwordOf = (url: string): string | undefined => /:\/\/[^:/@]*:([^@]+)@/.exec(url)?.[1]
