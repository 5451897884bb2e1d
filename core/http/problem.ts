import { Type } from 'typebox'
import { isDatabaseDown } from '../db/database.ts'
import { errorText, RayneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { redact } from '../redact.ts'
import type { Answer } from './answer.ts'

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
      message: 'the database does not answer or takes no writes; try again',
      details: { retryAfterSeconds: 5 },
      cause: error
    })
  return new RayneError({
    code: 'internal',
    message: 'something went wrong here; the log has the details under this request id',
    cause: error
  })
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

/** How to come back: the route's own words also where the caller is known and may not (RFC 6750, 3.1). */
const challengeOf = (status: number, own: string | undefined): Record<string, string> =>
  status === 401 || (status === 403 && own !== undefined)
    ? { 'www-authenticate': own ?? 'Bearer realm="rayne", Basic realm="rayne"' }
    : {}

/** The answer to what was thrown, with the headers that belong to it; what is no caller's fault is logged. */
export function problemOf(
  thrown: unknown,
  where: { readonly requestId: string; readonly route: string | undefined },
  log: Logger,
  challenge?: string
): Answer {
  const error = toRayneError(thrown)
  const { retryAfterSeconds } = error.details
  const { status } = error
  if (status === 503) log.warn({ ...where, reason: errorText(error.cause ?? error) }, error.message)
  else if (status >= 500) log.error({ error: error.cause ?? thrown, ...where }, error.message)
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfterSeconds === undefined
        ? {}
        : { 'retry-after': String(Math.ceil(retryAfterSeconds)) }),
      ...challengeOf(status, challenge),
      ...(status === 413 || error.code === 'body-incomplete' ? { connection: 'close' } : {})
    },
    body: problemBody(error, where.requestId)
  }
}
