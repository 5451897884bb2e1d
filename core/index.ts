export { Type, type Static, type TObject, type TSchema } from 'typebox'
export type { Knex } from 'knex'
export { definePlugin, type Plugin, type PluginApp } from './plugin.ts'
export { defineRoute, reply, type Reply, type Route, type RouteRequest } from './route.ts'
export type { Migration } from './db/migrate.ts'
export { createToken, type Resolved, type Token, type Tokens } from './services.ts'
export type { CommandAnswer, CommandContext, CommandSpec } from './command.ts'
export {
  defineEvent,
  type EventPayload,
  type EventType,
  type KeptEvent,
  type ReadEvents
} from './events.ts'
export type { Statement } from './db/statements.ts'
export { defineTool, type Tool, type Toolbox, type ToolContext } from './tool.ts'
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
export { homeFolder } from './config.ts'
export { compile, type Validator } from './schema.ts'
export { createGroupCommit } from './db/group-commit.ts'
export { readBytes } from './http/body.ts'
export type { Caller } from './http/operation.ts'
export type { JobHandle } from './jobs.ts'
export type { JobContext } from './run-job.ts'
export type { Logger } from './log.ts'
export { redact, registerSecret } from './redact.ts'
export { createBuckets } from './auth/rate-limit.ts'
export { guardLocal } from './auth/local-guard.ts'
export { mayRead, type Principal } from './auth/principal.ts'
export {
  dayMs,
  daySeconds,
  epochMs,
  hourMs,
  isDay,
  isoTime,
  minuteMs,
  nowMs,
  secondMs,
  toSeconds,
  type EpochMs,
  type EpochSeconds,
  type Ns
} from './time.ts'
