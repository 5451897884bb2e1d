import type Koa from 'koa'
import type { AuthClass, Principal } from '../auth/principal.ts'
import type { RawWords, RouteWords } from '../route.ts'

/** Who asked for a raw route; an answer that lasts asks from time to time whether they still may. */
export interface Caller {
  readonly principal: Principal
  /** False once the token was revoked or the session has ended; a database that is away changes nothing. */
  mayStill(): Promise<boolean>
}
/** A handler that speaks HTTP itself, for streams and proxies. */
export type RawHandler = (ctx: Koa.Context, caller: Caller) => Promise<void> | void

/** One operation as it was registered, for OpenAPI, the architecture test and the access test. */
export interface Operation {
  readonly owner: string
  readonly method: string
  /** With `{name}` parameters. */
  readonly path: string
  readonly summary: string
  readonly auth: AuthClass
  readonly spec?: RouteWords
  readonly about?: RawWords
  /** `WWW-Authenticate` of a refusal, where a protocol has words of its own for it. */
  challenge?(ctx: Koa.Context): string
}
