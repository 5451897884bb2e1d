import pino from 'pino'
import pretty from 'pino-pretty'
import { RayneError } from './errors.ts'

/** Structured log lines; the object comes first: `log.info({ id }, 'stored')`. */
export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'> & {
  child(bindings: Record<string, unknown>): Logger
}

const secrets = new Set<string>()
const masked = '[redacted]'

/** Makes a value unprintable for the rest of the process; shorter than 8 characters it would mask ordinary words. */
export function registerSecret(value: string | undefined): void {
  if (value && value.length >= 8)
    for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
      secrets.add(form)
}

const name =
  '[\\w-]{0,40}(?:(?:api|app|application|access|secret|private|encryption)[_-]?key(?:auth)?|passw(?:or)?d|secrets?|authorization|cookie|token)'
// A member of JSON, also of JSON inside a string, where its quotes are escaped: the whole value goes, and JSON stays JSON.
const member = new RegExp(
  `(?<!\\\\)(\\\\{0,15})"(${name})\\1"\\s*:\\s*(?:\\[[^\\][{}]*\\]|(?<!\\\\)"(?:[^"\\\\]|\\\\.)*"|\\1".*?(?<!\\\\)\\1"|-?\\d[\\d.e+-]*)`,
  'gis'
)
const header = /((?<![\w-])(?:proxy-)?(?:authorization|(?:set-)?cookie)\s*[:=]\s*)[^\r\n"'\\]{4,}/gi
const bare = new RegExp(
  `((?<![\\w-])${name}(?![\\w-])\\\\*"?\\s*[:=]\\s*\\\\*"?)(?!(?:null|true|false)\\b)(?:(?:bearer|basic)\\s+)?(?:'[^']*'|[^"'\\\\\\s,;&}]{4,})`,
  'gi'
)
const shaped = [
  /\b(?:bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi,
  /\brayne_[a-z]+_[a-z0-9_-]{16,}/gi,
  /\bsk-ant-[a-z0-9_-]{8,}/gi,
  /(?<=[a-z]:\/\/[^\s:/@]{0,64}:)[^\s@/"\\]{1,256}(?=@)/gi
]

/** The one choke point: every text that leaves for a log, an error, a model or a notification passes here. */
export function redact(text: string): string {
  let clean = text
  for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, masked)
  clean = clean.replace(
    member,
    (_all, quote: string, key: string) => `${quote}"${key}${quote}":${quote}"${masked}${quote}"`
  )
  for (const shape of shaped) clean = clean.replace(shape, masked)
  return clean.replace(header, `$1${masked}`).replace(bare, `$1${masked}`)
}

/** An error of ours is its sentence; the stack of any other shows where the bug is. */
const serializeError = (error: Error): unknown =>
  error instanceof RayneError && error.cause === undefined
    ? { code: error.code, message: error.message }
    : pino.stdSerializers.err(error)

/** Logs go to stderr, so that stdout stays the command's answer; people get colours, programs get JSON. */
export function createLogger(
  options: { level?: string; pretty?: boolean; write?: (line: string) => void } = {}
): Logger {
  const destination = options.write
    ? { write: options.write }
    : options.pretty
      ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' })
      : pino.destination({ fd: 2, sync: true })
  return pino(
    {
      level: options.level ?? 'info',
      serializers: { error: serializeError },
      hooks: { streamWrite: redact }
    },
    destination
  )
}
