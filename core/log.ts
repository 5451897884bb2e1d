import pino from 'pino'
import pretty from 'pino-pretty'
import { RayneError } from './errors.ts'

/** Structured log lines; the object comes first: `log.info({ id }, 'stored')`. */
export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'> & { child(bindings: Record<string, unknown>): Logger }

const secrets = new Set<string>()
const masked = '[redacted]'

/** Makes a value unprintable for the rest of the process; shorter than 8 characters it would mask ordinary words. */
export function registerSecret(value: string | undefined): void {
  if (value && value.length >= 8) secrets.add(value)
}

const named = /("?\b(?:[a-z0-9_-]*(?:api|app|access|secret|private|encryption)[_-]?key|password|passwd|secret|authorization|cookie|set-cookie|x-rayne-token|dd-api-key|dd-application-key|[a-z0-9_-]*token)\b\\?"?\s*[:=]\s*\\?"?)((?:bearer|basic)\s+)?([^"\\\s,;&}]{4,})/gi
const shaped = [/\b(?:bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi, /\brayne_[a-z]+_[a-z0-9_-]{16,}/gi, /\bsk-ant-[a-z0-9_-]{8,}/gi, /(?<=[a-z]:\/\/[^\s:/@]{0,64}:)[^\s@/]{1,256}(?=@)/gi]

/** The one choke point: every text that leaves for a log, an error, a model or a notification passes here. */
export function redact(text: string): string {
  let clean = text
  for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, masked)
  for (const shape of shaped) clean = clean.replace(shape, masked)
  return clean.replace(named, (_all, key: string) => `${key}${masked}`)
}

/** An error of ours is its sentence; the stack of any other shows where the bug is. */
const serializeError = (error: Error): unknown => error instanceof RayneError && error.cause === undefined ? { code: error.code, message: error.message } : pino.stdSerializers.err(error)

/** Logs go to stderr, so that stdout stays the command's answer; people get colours, programs get JSON. */
export function createLogger(options: { level?: string; pretty?: boolean; write?: (line: string) => void } = {}): Logger {
  const destination = options.write ? { write: options.write }
    : options.pretty ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' })
    : pino.destination({ fd: 2, sync: true })
  return pino({ level: options.level ?? 'info', serializers: { error: serializeError }, hooks: { streamWrite: redact } }, destination)
}
