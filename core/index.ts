export { Type, type Static, type TObject, type TSchema } from 'typebox'
export type { Knex } from 'knex'
export {
  definePlugin,
  reply,
  type Migration,
  type Plugin,
  type PluginApp,
  type Reply,
  type RouteRequest
} from './plugin.ts'
export { createToken, type Token } from './services.ts'
export { defineEvent, type EventPayload, type EventType } from './events.ts'
export { defineTool, type Tool, type ToolContext } from './tool.ts'
export {
  bootError,
  defineErrors,
  errorCode,
  errorText,
  invalid,
  notFound,
  RayneError,
  type ErrorKind,
  type ErrorTable,
  type FieldError
} from './errors.ts'
export { compile, type Validator } from './schema.ts'
export { createGroupCommit } from './db/group-commit.ts'
export { readBytes } from './http/body.ts'
export type { JobContext, JobHandle } from './jobs.ts'
export { redact, registerSecret, type Logger } from './log.ts'
export type { Principal } from './auth/principal.ts'
export {
  epochMs,
  isoTime,
  nowMs,
  toSeconds,
  type EpochMs,
  type EpochSeconds,
  type Ns
} from './time.ts'
