/** One field the server refused: `pointer` is an RFC 6901 JSON pointer into the request. */
export interface FieldError {
  readonly pointer: string
  readonly message: string
}

/**
 * `connection`: no answer; `timeout`: none in time; `http`: a refusal with `status`; `answer`: not
 * an answer of datacat; `invalid`: refused before it was sent; `closed`: the client was closed.
 */
export type DatacatErrorCode = 'connection' | 'timeout' | 'http' | 'answer' | 'invalid' | 'closed'

interface DatacatErrorDetails {
  readonly status?: number
  readonly errors?: readonly FieldError[]
  readonly retryAfterMs?: number | undefined
  readonly problem?: string | undefined
  readonly cause?: unknown
}

/** Every failure of this client except an abort; `status` is 0 without an answer, `errors` names the refused fields. */
export class DatacatError extends Error {
  readonly code: DatacatErrorCode
  readonly status: number
  readonly errors: readonly FieldError[]
  /** How long the server asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined
  /** Which of its own errors datacat named; undefined for an answer of anybody else. */
  readonly problem: string | undefined
  /** How many requests were made before this was given up. */
  attempts = 1
  constructor(
    code: DatacatErrorCode,
    message: string,
    { status = 0, errors = [], retryAfterMs, problem, cause }: DatacatErrorDetails = {}
  ) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'DatacatError'
    this.code = code
    this.status = status
    this.errors = errors
    this.retryAfterMs = retryAfterMs
    this.problem = problem
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    if (this.code === 'http')
      return this.status === 408 || this.status === 429 || this.status >= 500
    return this.code === 'connection' || this.code === 'timeout' || this.code === 'answer'
  }

  /** Whether datacat itself refused for good: a proxy, a login page or an expired token lets go of nothing. */
  get final(): boolean {
    if (this.code !== 'http') return this.code === 'invalid' || this.code === 'closed'
    const isItems = this.problem !== undefined && (this.status === 400 || this.status === 413)
    return isItems || this.problem === 'session-not-found'
  }
}

/** Whether what failed with this is kept and sent again later; an abort is nobody's failure. */
export const isKept = (error: unknown): boolean => error instanceof DatacatError && !error.final

/** Whether repeating the request that failed with this makes sense; an abort is nobody's failure. */
export const isRetryable = (error: unknown): error is DatacatError =>
  error instanceof DatacatError && error.retryable

/** The refusal as the server wrote it: an RFC 9457 problem, or plain text of the first version. */
export function refusalOf(status: number, text: string, retryAfter: string | null): DatacatError {
  const problem = parseObject(text)
  const errors = Array.isArray(problem?.['errors'])
    ? (problem['errors'] as FieldError[]).filter(one => typeof one?.pointer === 'string')
    : []
  const detail =
    typeof problem?.['detail'] === 'string' ? problem['detail'] : text.trim().slice(0, 500)
  const fields = errors
    .filter(one => !detail.includes(one.pointer))
    .map(one => `${one.pointer} ${one.message}`)
  return new DatacatError(
    'http',
    [`datacat answered ${status}`, detail, ...fields].filter(Boolean).join(': '),
    { status, errors, retryAfterMs: waitOf(retryAfter), problem: ownProblem(problem?.['type']) }
  )
}

const ownProblem = (type: unknown): string | undefined =>
  typeof type === 'string' ? /^urn:rayne:error:(.+)$/.exec(type)?.[1] : undefined

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** `Retry-After` is seconds or an HTTP date. */
function waitOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined
  const ms = /^\s*\d+\s*$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
