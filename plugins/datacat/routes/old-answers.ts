import { Readable } from 'node:stream'
import {
  RayneError,
  readBytes,
  type Caller,
  type ErrorKind,
  type Logger,
  type PluginApp
} from '../../../core/index.ts'
import type { DatacatService } from '../service/datacat.ts'
import { InvalidBody } from '../wire/parse.ts'

type Handler = Parameters<PluginApp<unknown>['raw']>[3]
export type Context = Parameters<Handler>[0]
export type Body = string | Buffer | Readable

const maxBodyBytes = 1_048_576

export const readBody = (ctx: Context): Promise<Buffer> => readBytes(ctx.req, maxBodyBytes)

/** An answer of the first version: its status and its exact words. */
export class Refusal extends Error {
  readonly status: number
  /** Where it is one of a session: the problem it is told as. */
  readonly kind: ErrorKind<number> | undefined
  constructor(status: number, text: string, kind?: ErrorKind<number>) {
    super(text)
    this.status = status
    this.kind = kind
  }
}

/** Answers as the first version did: 200 and JSON, or its plain words; `run` gets the path without the key. */
export const answer =
  (log: Logger, run: (ctx: Context, path: string, caller: Caller) => Promise<Body>): Handler =>
  async (ctx, caller) => {
    try {
      const body = await run(ctx, ctx.path.replace(/^\/k\/[^/]+/, ''), caller)
      ctx.status = 200
      ctx.set('content-type', 'application/json')
      ctx.body = body
      // After the first byte an error can only cut the answer off, so that nobody takes half for all.
      if (body instanceof Readable)
        body.once('error', error => log.error({ error }, 'an answer in parts was cut off'))
    } catch (error) {
      refuse(ctx, error)
    }
  }

/** Answers one operation; `path` is without the key. */
export type OldHandler = (
  datacat: DatacatService,
  ctx: Context,
  path: string,
  caller: Caller
) => Promise<Body>

/** The router takes a trailing slash for none; the first version did so for one path only. */
export const exact =
  (run: OldHandler): OldHandler =>
  async (datacat, ctx, path, caller) => {
    if (path.endsWith('/')) throw otherwise(ctx, path)
    return run(datacat, ctx, path, caller)
  }

/** What the first version answers where nothing is. */
export function otherwise(ctx: Context, path: string): Refusal {
  if (path === '/api/sessions' || path === '/api/grafana/sessions')
    return new Refusal(405, 'Method not allowed')
  if (path === '/api/sessions/') return new Refusal(400, 'Session ID required')
  if (!path.startsWith('/api/sessions/') && !path.includes('//'))
    return new Refusal(404, '404 page not found')
  // A redirect would repeat the token of the path.
  if (path.includes('//') && path === ctx.path) {
    ctx.set('location', path.replaceAll(/\/{2,}/g, '/'))
    return new Refusal(301, 'Moved Permanently')
  }
  return new Refusal(404, 'Not found')
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof InvalidBody) return new Refusal(400, error.told)
  if (error instanceof RayneError) return new Refusal(error.status, error.message)
  throw error
}

const problemOf = ({ status, kind }: Refusal) =>
  kind ??
  (status === 400 ? 'invalid-input' : status === 405 ? 'method-not-allowed' : 'route-not-found')

function refuse(ctx: Context, error: unknown): void {
  const wantsProblem = ctx.get('accept').includes('application/problem+json')
  if (error instanceof RayneError && (wantsProblem || error.status >= 500)) throw error
  const refusal = refusalOf(error)
  const { status, message } = refusal
  if (wantsProblem && status >= 400) throw new RayneError({ code: problemOf(refusal), message })
  ctx.status = status
  ctx.set('content-type', 'text/plain; charset=utf-8')
  ctx.set('x-content-type-options', 'nosniff')
  ctx.body = `${message}\n`
}
