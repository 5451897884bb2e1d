import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { bentAnswer, partialAnswer, schemaFaults } from './fault-bodies.ts'
import { hash, unit } from '../world/random.ts'

/** Which requests a fault hits: all conditions given must hold; `path` is a prefix, or a regular expression between slashes; `after` is all but the first so many; `between` is virtual time. */
export interface FaultMatch {
  readonly op?: string
  readonly after?: number
  readonly between?: readonly [number | string, number | string]
  readonly method?: string
  readonly path?: string
  readonly account?: string
  readonly nth?: number
  readonly every?: number
  readonly p?: number
}
export type FaultType =
  | '429'
  | '5xx'
  | 'timeout'
  | 'slow'
  | 'reset'
  | 'malformed'
  | 'schema'
  | 'partial'
  | 'auth'
  | 'consistency'
  | 'skew'
/** What happens then; `applied` lets the request take effect although its answer is lost. */
export interface FaultThen {
  readonly type: FaultType
  readonly body?: string
  readonly status?: number
  readonly reset?: number | string | null
  readonly retry_after?: number | string
  readonly ms?: number
  readonly drip?: { readonly bytes: number; readonly every_ms: number }
  readonly applied?: boolean
}
export interface FaultSpec {
  readonly match?: FaultMatch
  readonly then: FaultThen
  readonly times?: number
}
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const types: ReadonlySet<string> = new Set([
  '429',
  '5xx',
  'timeout',
  'slow',
  'reset',
  'malformed',
  'schema',
  'partial',
  'auth',
  'consistency',
  'skew'
])

/** The faults in force; counting per fault, so that `nth` and `every` mean matching requests. */
export function createFaults(seed: number) {
  let faults: { spec: FaultSpec; path: RegExp | undefined; seen: number; fired: number }[] = []
  return {
    add(value: unknown): void {
      const spec = value as FaultSpec | undefined
      if (!spec || typeof spec !== 'object' || !types.has(String(spec.then?.type)))
        throw new Error(`a fault needs then.type, one of ${[...types].join(', ')}`)
      if (
        spec.then.type === 'schema' &&
        !(schemaFaults as readonly unknown[]).includes(spec.then.body)
      )
        throw new Error(`a schema fault needs then.body, one of ${schemaFaults.join(', ')}`)
      if (spec.match?.between?.some(at => Number.isNaN(instant(at))))
        throw new Error('match.between needs two times')
      faults.push({ spec, path: pathPattern(spec.match?.path), seen: 0, fired: 0 })
    },
    list: () => faults.map(({ spec, seen, fired }) => ({ ...spec, seen, fired })),
    reset(): void {
      faults = []
    },
    /** The first fault that hits this request, or undefined. */
    pick({
      method,
      path,
      account,
      op,
      now
    }: {
      readonly method: string
      readonly path: string
      readonly account: string | undefined
      readonly op: string | undefined
      readonly now: number
    }): FaultThen | undefined {
      for (const fault of faults) {
        const { match = {}, times = Infinity, then } = fault.spec
        if (
          fault.fired >= times ||
          (match.method && match.method.toUpperCase() !== method) ||
          (fault.path && !fault.path.test(path)) ||
          (match.account && match.account !== account) ||
          (match.op && match.op !== op)
        )
          continue
        if (match.between && (now < instant(match.between[0]) || now >= instant(match.between[1])))
          continue
        fault.seen++
        if (match.nth !== undefined && fault.seen !== match.nth) continue
        if (match.after !== undefined && fault.seen <= match.after) continue
        if (match.every !== undefined && fault.seen % match.every !== 0) continue
        if (
          match.p !== undefined &&
          unit(hash(seed, 'fault', faults.indexOf(fault)), fault.seen) >= match.p
        )
          continue
        fault.fired++
        return then
      }
      return undefined
    }
  }
}
export type Faults = ReturnType<typeof createFaults>

const instant = (at: number | string): number => (typeof at === 'number' ? at : Date.parse(at))

function pathPattern(path: string | undefined): RegExp | undefined {
  if (path === undefined) return undefined
  const regex = /^\/(.*)\/([i]?)$/s.exec(path)
  if (regex && !path.startsWith('/api/')) return new RegExp(regex[1] ?? '', regex[2])
  return { test: (text: string) => text.startsWith(path) } as RegExp
}

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

/** Sends an answer the way the fault wants it: late, in drips, cut off by a closed socket, or never. */
export async function send(
  res: ServerResponse,
  answer: Answer,
  fault: FaultThen | undefined
): Promise<void> {
  if (fault?.type === 'timeout') return
  if (fault?.type === 'slow' && fault.ms) await wait(fault.ms, undefined, { ref: false })
  if (res.destroyed) return
  const noBody = answer.status === 204
  res.writeHead(answer.status, {
    ...answer.headers,
    ...(noBody ? {} : { 'content-length': Buffer.byteLength(answer.body) })
  })
  if (fault?.type === 'reset') {
    res.write(answer.body.slice(0, Math.floor(answer.body.length / 2)), () =>
      res.socket?.resetAndDestroy()
    )
    return
  }
  if (fault?.type === 'slow' && fault.drip) {
    const bytes = Buffer.from(answer.body)
    for (let at = 0; at < bytes.length && !res.destroyed; at += fault.drip.bytes) {
      res.write(bytes.subarray(at, at + fault.drip.bytes))
      await wait(fault.drip.every_ms)
    }
    res.end()
    return
  }
  res.end(noBody ? undefined : answer.body)
}
