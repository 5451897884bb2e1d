import { DatadogError, type DatadogFailure } from '../../contract.ts'
import { isObject, parseJson } from './read-json.ts'

const maxLength = 600
const maxDepth = 6

/** The kind of failure an HTTP status of Datadog stands for. */
export function failureOf(status: number): DatadogFailure {
  if (status === 401 || status === 403) return 'forbidden'
  if (status === 404) return 'not_found'
  if (status === 408) return 'timeout'
  if (status === 409) return 'conflict'
  if (status === 429) return 'rate_limited'
  if (status >= 500) return 'unavailable'
  return status >= 400 ? 'invalid' : 'garbage'
}

/**
 * What Datadog says in an error body, in one line; never throws and never empty.
 * Knows the six envelopes (texts, objects, error_details, by id, 502 page, HTML or nothing), the error that was
 * encoded twice, and the official client's `Unknown API Status Code!` wrapping.
 */
export function readEnvelope(body: string): string {
  const text = unwrapClient(body).trim()
  if (text === '') return 'no explanation (empty body)'
  const messages = [
    ...new Set(
      messagesIn(parsed(text), 0)
        .map(oneLine)
        .filter(message => message !== '')
    )
  ]
  const message = messages.join('; ') || fallback(text)
  return message.length > maxLength ? `${message.slice(0, maxLength)}…` : message
}

/** The DatadogError for a refused request; `hint` is the sentence a 401 or 403 adds. */
export function refusal(
  status: number,
  body: string,
  about: { hint: string; where: string; retryAfterSeconds?: number | undefined }
): DatadogError {
  const failure = failureOf(status)
  const hint =
    failure === 'forbidden'
      ? `. ${about.hint}, and the keys must belong to an organisation on ${about.where}`
      : ''
  const details = {
    datadogStatus: status,
    ...(about.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: about.retryAfterSeconds })
  }
  return new DatadogError(
    failure,
    `Datadog answered ${status}: ${readEnvelope(body)}${hint}`,
    details
  )
}

const unwrapClient = (body: string): string =>
  /^Unknown API Status Code!\s*Body: "([\s\S]*)"$/.exec(body.trim())?.[1] ?? body

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

function messagesIn(value: unknown, depth: number): string[] {
  if (depth > maxDepth) return []
  if (typeof value === 'string') return [decodedTwice(value)]
  if (Array.isArray(value)) return value.flatMap(item => messagesIn(item, depth + 1))
  if (!isObject(value)) return []
  for (const key of ['errors', 'error', 'detail', 'message', 'title']) {
    const found = messagesIn(value[key], depth + 1).filter(text => text.trim() !== '')
    if (found.length > 0) return found
  }
  // `{"errors": {"<id>": ["…"]}}`: the keys are ids. At the top such an object is no envelope at all.
  return depth === 0
    ? []
    : Object.entries(value).flatMap(([id, inner]) =>
        messagesIn(inner, depth + 1).map(text => `${id}: ${text}`)
      )
}

/** Events search answers a Python literal inside JSON: `{'errors': [u"input_validation_error(…)"]}`. */
const decodedTwice = (text: string): string =>
  /^\{'errors': \[u?(["'])([\s\S]*)\1\]\}$/.exec(text.trim())?.[2] ?? text

/** A page says its title at its beginning. */
const maxHeadLength = 4_000

function fallback(text: string): string {
  const title = /<title[^<>]*>([^<]*)<\/title>/i.exec(text.slice(0, maxHeadLength))?.[1]
  if (/^<|<html/i.test(text))
    return title && oneLine(title) !== ''
      ? `an HTML page titled "${oneLine(title)}"`
      : 'an HTML page'
  return oneLine(text) || 'no explanation (unreadable body)'
}

// Control characters could forge log lines or terminal output.
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
