/** One field that was refused: `pointer` is an RFC 6901 JSON pointer into the request or setting. */
export interface FieldError {
  readonly pointer: string
  readonly message: string
}

/** What a problem says beside its sentence; everything but `retryAfterSeconds` is in its body. */
export interface ErrorDetails {
  readonly errors?: readonly FieldError[]
  /** How long a caller should wait; becomes the header `Retry-After`. */
  readonly retryAfterSeconds?: number
  readonly [extra: string]: unknown
}

/** A code with its one HTTP status; `upstream` = the status of whoever answered is passed on. */
export interface ErrorKind<S extends number | 'upstream' = number | 'upstream'> {
  readonly code: string
  readonly status: S
  /** A sentence for the table of errors: when a caller sees it and what helps. */
  readonly about: string
}
export type ErrorTable = Readonly<Record<string, ErrorKind>>

/** A table of errors out of `{ code: [status, when a caller sees it] }`; a plugin hands its own to `definePlugin`. */
export const defineErrors = <
  const T extends Record<string, readonly [number | 'upstream', string]>
>(
  entries: T
): { readonly [K in keyof T]: ErrorKind<T[K][0]> } =>
  Object.fromEntries(
    Object.entries(entries).map(([code, [status, about]]) => [code, { code, status, about }])
  ) as { [K in keyof T]: ErrorKind<T[K][0]> }

/** The errors of the platform itself. */
export const coreErrors = defineErrors({
  'body-incomplete': [400, 'The connection ended before the body did; send it again.'],
  'body-invalid': [400, 'The body is not what its Content-Encoding says.'],
  'body-too-large': [413, 'The body is larger than the route accepts; send less at once.'],
  'boot-failed': [500, 'The platform cannot start as it is set up; the sentence says what to do.'],
  'client-gone': [499, 'The client went away before its answer was ready.'],
  'database-unavailable': [
    503,
    'The database does not answer; wait for Retry-After and try again.'
  ],
  'encoding-unsupported': [415, 'Content-Encoding must be gzip, deflate, br or identity.'],
  forbidden: [403, 'The caller is known and may not do this; another role or scope is needed.'],
  forwarded: [403, 'Local mode takes nothing from a proxy; set RAYNE_AUTH=required.'],
  'foreign-host': [403, 'Local mode answers on loopback names only.'],
  'foreign-origin': [403, 'A page of another origin may not act here.'],
  internal: [500, 'A fault of the platform; its log has the details under the request id.'],
  'invalid-input': [400, 'A field is missing or wrong; `errors` names each by its JSON pointer.'],
  'invalid-json': [400, 'The body is not valid JSON.'],
  'job-lost': [409, 'Another attempt took the job over, so this one may write no more.'],
  'job-not-found': [404, 'No failed job has this id.'],
  'login-failed': [401, 'The name or the password is wrong.'],
  'method-not-allowed': [405, 'The path exists for other methods; the header Allow lists them.'],
  overloaded: [503, 'More is under way than can be taken at once; wait for Retry-After.'],
  'route-not-found': [404, 'Nothing answers at this path; GET /docs lists what there is.'],
  'setup-spent': [403, 'The set-up link was used or is too old; restart the server for a new one.'],
  'token-not-found': [404, 'No live API token has this id.'],
  'too-many-logins': [429, 'Too many failed or simultaneous logins; wait for Retry-After.'],
  'too-many-requests': [429, 'The token has sent more than its share; wait for Retry-After.'],
  'tool-not-found': [404, 'No tool has this name.'],
  unauthenticated: [401, 'The route needs a login or a token and none that is valid was sent.'],
  'user-exists': [409, 'The name of the user is taken.'],
  'user-not-found': [404, 'No user has this name.']
})

/** The platform's errors and those of the plugins by code; a code with two owners is refused. */
export function documentErrors(
  plugins: readonly { readonly id: string; readonly errors?: ErrorTable }[]
): readonly ErrorKind[] {
  const owners = new Map<string, string>()
  const kinds: ErrorKind[] = []
  for (const { id, errors } of [{ id: 'core', errors: coreErrors }, ...plugins])
    for (const kind of Object.values(errors ?? {})) {
      const other = owners.get(kind.code)
      if (other !== undefined)
        throw bootError(`error '${kind.code}' is defined by both '${other}' and '${id}'`)
      owners.set(kind.code, id)
      kinds.push(kind)
    }
  return kinds.sort((a, b) => (a.code < b.code ? -1 : 1))
}

type CoreCode = {
  [K in keyof typeof coreErrors]: (typeof coreErrors)[K] extends ErrorKind<number> ? K : never
}[keyof typeof coreErrors]

/** What an error is made of: a known code brings its status, any other is given one. */
export type ErrorSpec = {
  readonly message: string
  readonly details?: ErrorDetails
  readonly cause?: unknown
} & (
  | { readonly code: CoreCode | ErrorKind<number>; readonly status?: undefined }
  | { readonly code: string | ErrorKind<'upstream'>; readonly status: number }
)

/** The only error whose text reaches a caller: `code` is stable and becomes the problem `type` (RFC 9457). */
export class RayneError extends Error {
  readonly code: string
  readonly status: number
  readonly details: ErrorDetails
  constructor({ code, status, message, details = {}, cause }: ErrorSpec) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'RayneError'
    this.code = typeof code === 'string' ? code : code.code
    this.status = status ?? statusOf(code)
    this.details = details
  }
}

function statusOf(code: CoreCode | ErrorKind<number>): number {
  return typeof code === 'string' ? coreErrors[code].status : code.status
}

/** A 400 about one field: `pointer` says which, `message` what it must be. */
export const invalid = (pointer: string, message: string, cause?: unknown): RayneError =>
  new RayneError({
    code: 'invalid-input',
    message: `${pointer} ${message}`,
    details: { errors: [{ pointer, message }] },
    cause
  })

/** A 404 `<what>-not-found`: there is no `what` `which`, and `list` is where the caller finds those there are. */
export const notFound = (what: string, which: string, list: string): RayneError =>
  new RayneError({
    code: `${what}-not-found`,
    status: 404,
    message: `there is no ${what} ${which}; ${list} lists them`
  })

/** A sentence about why the platform cannot start. */
export const bootError = (message: string, cause?: unknown): RayneError =>
  new RayneError({ code: 'boot-failed', message, cause })

/** The text of anything thrown, for logs and job records: no NUL and no half character, which no database holds. */
export const errorText = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error))
    .toWellFormed()
    .replaceAll('\0', '\ufffd')

/** The PostgreSQL or system error code of anything thrown, e.g. `23505` or `ECONNREFUSED`. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
