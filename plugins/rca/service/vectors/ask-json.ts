import { errorText, RayneError } from '../../../../core/index.ts'
import { rcaErrors } from '../../contract.ts'

/** Where a service is, and what it is asked with. */
export interface Service {
  /** Who it is in an error's sentence. */
  readonly name: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

// 32 vectors of 8,192 numbers, written out.
const maxAnswerBytes = 8 * 1_048_576

/**
 * Asks a service for JSON, within the signal and 8 MB; no redirect is followed. Throws `memory-unavailable` with a
 * sentence, and with the status of the service where it refused.
 */
export async function askJson(
  { name, url, headers = {} }: Service,
  method: 'GET' | 'PUT' | 'POST',
  path: string,
  body: unknown,
  signal: AbortSignal
): Promise<unknown> {
  const answer = await fetch(`${withoutSlash(url)}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal
  }).catch((error: unknown) => {
    throw unavailable(`${name} does not answer: ${reasonOf(error)}`, 502, error)
  })
  const text = await textOf(answer, maxAnswerBytes).catch((error: unknown) => {
    throw unavailable(`${name} broke off its answer: ${reasonOf(error)}`, 502, error)
  })
  if (!answer.ok)
    throw unavailable(`${name} answered ${answer.status}: ${text.slice(0, 200)}`, answer.status)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unavailable(`${name} answered no JSON: ${text.slice(0, 80)}`, 502, error)
  }
}

/** An error of a service that holds or makes vectors. */
export const unavailable = (message: string, status: number, cause?: unknown): RayneError =>
  new RayneError({ code: rcaErrors['memory-unavailable'], status, message, cause })

/** `fetch` says why in the cause of its error. */
const reasonOf = (error: unknown): string =>
  errorText(error instanceof TypeError && error.cause !== undefined ? error.cause : error)

async function textOf({ body }: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An address as the path is put behind it. */
const withoutSlash = (url: string): string => {
  let end = url.length
  while (url[end - 1] === '/') end -= 1
  return url.slice(0, end)
}
