import { createRequire } from 'node:module'
import pino from 'pino'
import type { PinoPretty } from 'pino-pretty'
import { RayneError } from './errors.ts'
import { redact } from './redact.ts'

/** Structured log lines; the object comes first: `log.info({ id }, 'stored')`. */
export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'> & {
  child(bindings: Record<string, unknown>): Logger
}

// Only where a person looks on, and then at once: a logger is made without waiting.
const loadPretty = (): typeof PinoPretty =>
  createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty

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
      ? loadPretty()({
          destination: 2,
          sync: true,
          ignore: 'pid,hostname',
          translateTime: 'HH:MM:ss'
        })
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
