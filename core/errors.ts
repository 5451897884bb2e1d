/** One field that was refused: `pointer` is an RFC 6901 JSON pointer into the request or setting. */
export interface FieldError {
  readonly pointer: string
  readonly message: string
}

export interface ErrorDetails {
  readonly errors?: readonly FieldError[]
  /** Seconds a caller should wait; becomes `Retry-After`. */
  readonly retryAfter?: number
  readonly [extra: string]: unknown
}

/** The only error whose text reaches a caller: `code` is stable and becomes the problem `type` (RFC 9457). */
export class RayneError extends Error {
  readonly code: string
  readonly status: number
  readonly details: ErrorDetails
  constructor(
    code: string,
    status: number,
    message: string,
    details: ErrorDetails = {},
    options?: ErrorOptions
  ) {
    super(message, options)
    this.name = 'RayneError'
    this.code = code
    this.status = status
    this.details = details
  }
}

/** The text of anything thrown, for logs and job records. */
export const errorText = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error)

/** The PostgreSQL or system error code of anything thrown, e.g. `23505` or `ECONNREFUSED`. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
