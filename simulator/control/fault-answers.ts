import { bentAnswer, partialAnswer } from './fault-bodies.ts'
import type { Answer, FaultThen } from './fault.ts'

const json = { 'content-type': 'application/json' }
const html = { 'content-type': 'text/html; charset=utf-8' }
const page = (title: string): string =>
  `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`

/** True when the request is not carried out: the fault answers in its place. */
export const replacesHandler = (fault: FaultThen): boolean =>
  ['429', '5xx', 'auth', 'timeout'].includes(fault.type) && fault.applied !== true

/** The answer a fault puts in place of the real one; the same answer for those that only disturb its sending. */
export function faultedAnswer(fault: FaultThen, real: Answer, now: number): Answer {
  switch (fault.type) {
    case '429':
      return tooMany(fault, now)
    case '5xx':
      return fault.body === 'html'
        ? {
            status: fault.status ?? 503,
            headers: html,
            body: page('503 Service Temporarily Unavailable')
          }
        : {
            status: fault.status ?? 502,
            headers: json,
            body: JSON.stringify({
              status: 'error',
              code: fault.status ?? 502,
              errors: ['Bad Gateway'],
              statuspage: 'http://status.datadoghq.com',
              twitter: 'http://twitter.com/datadogops',
              email: 'support@datadoghq.com'
            })
          }
    case 'auth':
      return { status: 403, headers: json, body: '{"errors":["Forbidden"]}' }
    case 'malformed':
      return malformed(fault, real)
    case 'schema':
      return bentAnswer(fault, real)
    case 'partial':
      return partialAnswer(real)
    default:
      return real
  }
}

function tooMany(fault: FaultThen, now: number): Answer {
  const reset = fault.reset === 'epoch' ? Math.floor(now / 1000) + 2 : fault.reset
  const limit = {
    'x-ratelimit-limit': '100',
    'x-ratelimit-period': '10',
    'x-ratelimit-remaining': '0'
  }
  const headers = {
    ...(fault.retry_after === undefined ? limit : { 'retry-after': String(fault.retry_after) }),
    ...(reset === undefined && fault.retry_after === undefined
      ? { 'x-ratelimit-reset': '2' }
      : reset === undefined || reset === null
        ? {}
        : { 'x-ratelimit-reset': String(reset) })
  }
  if (fault.body === 'empty') return { status: 429, headers, body: '' }
  if (fault.body === 'html')
    return { status: 429, headers: { ...html, ...headers }, body: page('429 Too Many Requests') }
  return {
    status: 429,
    headers: { ...json, ...headers },
    body: '{"errors": ["Rate limit of 100 requests in 10 seconds reached. Please try again later."]}'
  }
}

function malformed(fault: FaultThen, real: Answer): Answer {
  const ok = { ...real, status: 200 }
  switch (fault.body) {
    case 'html':
      return { ...ok, headers: html, body: page('Datadog: Log In') }
    case 'empty':
      return { ...ok, body: '' }
    case 'null':
      return { ...ok, body: 'null' }
    case 'content-type':
      return { ...ok, headers: { ...real.headers, 'content-type': 'text/plain' } }
    default:
      return { ...ok, body: real.body.slice(0, Math.max(1, Math.floor(real.body.length * 0.6))) }
  }
}
