import { Type } from 'typebox'
import { isDatabaseDown } from '../db/database.ts'
import { errorCode, RayneError } from '../errors.ts'
import { redact } from '../log.ts'

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
export function toRayneError(error: unknown): RayneError {
  if (error instanceof RayneError) return error
  if (isDatabaseDown(error))
    return new RayneError({
      code: 'database-unavailable',
      message: 'the database does not answer; try again',
      details: { retryAfterSeconds: 5 },
      cause: error
    })
  const status = (error as { status?: unknown } | null)?.status
  const type = (error as { type?: unknown } | null)?.type
  if (type === 'entity.too.large')
    return new RayneError({
      code: 'body-too-large',
      message: 'the body is larger than this route accepts',
      cause: error
    })
  if (
    type === 'request.aborted' ||
    type === 'request.size.invalid' ||
    errorCode(error) === 'ECONNRESET'
  )
    return new RayneError({
      code: 'body-incomplete',
      message: 'the body ended before it was complete',
      cause: error
    })
  if (status === 415)
    return new RayneError({
      code: 'encoding-unsupported',
      message: 'Content-Encoding must be gzip, deflate, br or identity',
      cause: error
    })
  return new RayneError({
    code: 'internal',
    message: 'something went wrong here; the log has the details under this request id',
    cause: error
  })
}

export function problemBody(error: RayneError, requestId: string): string {
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
