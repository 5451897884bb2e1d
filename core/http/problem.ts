import type Koa from 'koa'
import { Type } from 'typebox'
import { isDatabaseDown } from '../db/database.ts'
import { errorCode, RayneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { redact } from '../redact.ts'

/** RFC 9457, plus the top-level `error` text that callers of the first version read. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:rayne:error:<code>; stable' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    error: Type.String(),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() }))
    )
  },
  { additionalProperties: true }
)

/** What is told to the caller: a RayneError as it is, a lost database as 503, everything else as a bare 500. */
function toRayneError(error: unknown): RayneError {
  if (error instanceof RayneError) return error
  if (isDatabaseDown(error))
    return new RayneError({
      code: 'database-unavailable',
      message: 'the database does not answer; try again',
      details: { retryAfterSeconds: 5 },
      cause: error
    })
  return (
    unreadBody(error) ??
    new RayneError({
      code: 'internal',
      message: 'something went wrong here; the log has the details under this request id',
      cause: error
    })
  )
}

/** What raw-body and its streams throw, in our words; undefined for anything else. */
function unreadBody(cause: unknown): RayneError | undefined {
  const { status, type } = (cause ?? {}) as { status?: unknown; type?: unknown }
  if (type === 'entity.too.large') {
    const message = 'the body is larger than this route accepts'
    return new RayneError({ code: 'body-too-large', message, cause })
  }
  const cut = type === 'request.aborted' || type === 'request.size.invalid'
  if (cut || errorCode(cause) === 'ECONNRESET') {
    const message = 'the body ended before it was complete'
    return new RayneError({ code: 'body-incomplete', message, cause })
  }
  if (status === 415) {
    const message = 'Content-Encoding must be gzip, deflate, br or identity'
    return new RayneError({ code: 'encoding-unsupported', message, cause })
  }
  return undefined
}

function problemBody(error: RayneError, requestId: string): string {
  const { retryAfterSeconds: _, ...details } = error.details
  const { code, status, message } = error
  return redact(
    JSON.stringify({
      ...details,
      type: `urn:rayne:error:${code}`,
      title: code.replaceAll('-', ' '),
      status,
      detail: message,
      error: message,
      request_id: requestId
    })
  )
}

/** Answers with the problem that was thrown, with the headers that belong to it. */
export function respondWithProblem(
  ctx: Koa.Context,
  thrown: unknown,
  requestId: string,
  log: Logger
): void {
  const error = toRayneError(thrown)
  const { retryAfterSeconds } = error.details
  if (error.status >= 500)
    log.error({ error: error.cause ?? thrown, requestId, route: ctx.state['route'] }, error.message)
  if (retryAfterSeconds !== undefined) ctx.set('retry-after', String(Math.ceil(retryAfterSeconds)))
  if (error.status === 401) ctx.set('www-authenticate', 'Bearer realm="rayne", Basic realm="rayne"')
  // Bytes of a refused body may still be on their way: the connection cannot be used again.
  if (error.status === 413 || error.code === 'body-incomplete') ctx.set('connection', 'close')
  ctx.status = error.status
  ctx.body = problemBody(error, requestId)
  ctx.type = 'application/problem+json'
}
