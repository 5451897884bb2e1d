/** An answer of the simulated Datadog that is not a success; `body` is sent as it is. */
export class ApiError extends Error {
  readonly status: number
  readonly body: unknown
  readonly type: string
  constructor(status: number, body: unknown, type = 'application/json') {
    super(typeof body === 'string' ? body : JSON.stringify(body))
    this.name = 'ApiError'
    this.status = status
    this.body = body
    this.type = type
  }
}

/** Datadog's commonest error envelope. */
export const refuse = (status: number, ...errors: string[]): ApiError =>
  new ApiError(status, { errors })

/** The double-encoded envelope recorded for bad v2 search input. */
export const refuseField = (field: string, why: string): ApiError =>
  refuse(400, `{'errors': [u"input_validation_error(Field '${field}' is invalid: ${why})"]}`)
