import type Koa from 'koa'
import type { AuthClass } from '../auth/principal.ts'
import type { RawWords, RouteWords } from '../route.ts'

/** A handler that speaks HTTP itself, for streams and proxies. */
export type RawHandler = (ctx: Koa.Context) => Promise<void> | void

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
}
