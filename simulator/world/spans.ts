import { spanId, showsIn, type LogRow, type TraceRef } from './logs.ts'
import { hash, sortableId } from './random.ts'
import { createLookup, stepsOf, type Lookup, type Step } from './span-steps.ts'
import type { World } from './world.ts'

/** One span; times in epoch ms, ids as decimal text because they exceed 2^53; `parentId` of a root is '0'. */
export interface Span {
  readonly id: string
  readonly at: number
  readonly durationMs: number
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string
  readonly service: string
  readonly resource: string
  readonly operation: string
  readonly type: string
  readonly env: string
  readonly host: string
  readonly version: string
  readonly error: { readonly type: string; readonly message: string } | undefined
  readonly code: number | undefined
  readonly peer: string | undefined
  readonly tags: readonly string[]
  custom?: Readonly<Record<string, unknown>>
}
/** The spans of a world by the minute they start in. */
export interface Traces {
  minute(index: number): readonly Span[]
}

const MINUTE = 60_000
const KEPT_MINUTES = 240

/** Spans are made from the log lines that stand for requests, so that logs and traces tell one story. */
export function createTraces(world: World): Traces {
  const lookup = createLookup(world)
  const sources = world.streams.filter(stream => stream.traced && !stream.follows)
  const cache = new Map<number, readonly Span[]>()
  const make = (index: number): Span[] =>
    [index, index + 1]
      .flatMap(minute => sources.flatMap(stream => stream.minute(minute)))
      .flatMap(row => (row.trace ? spansOf(lookup, row, row.trace) : []))
      .filter(span => Math.floor(span.at / MINUTE) === index)
      .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  return {
    minute(index) {
      let found = cache.get(index)
      if (!found) {
        if (cache.size > KEPT_MINUTES) cache.clear()
        cache.set(index, (found = make(index)))
      }
      return found
    }
  }
}

function spansOf(lookup: Lookup, row: LogRow, trace: TraceRef): Span[] {
  const { path, failed, upstream = 1, reason, code = 500 } = trace.spec
  const steps = stepsOf(lookup, row.at, trace)
  const innermost = failed === undefined ? -1 : path.indexOf(failed)
  const own = Math.max(
    0,
    steps.findIndex(step => !step.client && step.name === trace.emitter.tags['service'])
  )
  const messageAt = (depth: number): string => {
    if (depth !== innermost) return `${path[depth + 1] ?? ''} answered ${code}`
    return depth === own ? row.message : (reason ?? row.message)
  }
  // The line is written when its service has its answer; the outer spans began before.
  let start = row.at - (steps[own]?.ms ?? 0)
  for (let i = own; i > 0; i--) start -= lead(steps[i - 1], steps[i])
  return steps.map((step, depth) => {
    if (depth > 0) start += lead(steps[depth - 1], step)
    const isShown = depth > 0 || innermost === 0 || showsIn(trace, upstream)
    const message = depth <= innermost && isShown ? messageAt(depth) : undefined
    return spanOf(trace, step, { depth, at: Math.round(start), message })
  })
}

const lead = (outer: Step | undefined, inner: Step | undefined): number =>
  Math.max(0, ((outer?.ms ?? 0) - (inner?.ms ?? 0)) * 0.4)

/** How a span of each kind is named; `resource` stands for the trace's own where it is absent. */
interface Naming {
  readonly operation: string
  readonly type: string
  readonly resource?: string
  readonly http?: true
}
const asServer: Readonly<Record<string, Naming>> = {
  worker: { operation: 'kafka.consume', type: 'queue' }
}
const httpServer: Naming = { operation: 'http.request', type: 'web', http: true }
const asClient: Readonly<Record<string, Naming>> = {
  postgres: { operation: 'postgresql.query', type: 'sql', resource: 'SELECT stock.reserve' },
  redis: { operation: 'redis.command', type: 'redis', resource: 'GET' },
  kafka: { operation: 'kafka.produce', type: 'queue', resource: 'Produce Topic orders' }
}

function namingOf({ client, kind, name }: Step): Naming {
  if (!client) return asServer[kind ?? ''] ?? httpServer
  return (
    asClient[kind ?? ''] ?? {
      operation: 'okhttp.request',
      type: 'http',
      resource: `POST ${name}`,
      http: true
    }
  )
}

interface Drawn {
  readonly depth: number
  readonly at: number
  /** Why it failed; undefined where it did not. */
  readonly message: string | undefined
}

function spanOf(trace: TraceRef, step: Step, { depth, at, message }: Drawn): Span {
  const { tags } = step.emitter
  const naming = namingOf(step)
  const answered = message === undefined ? 200 : (trace.spec.code ?? 500)
  return {
    id: sortableId(at, hash(trace.seed, depth)),
    at,
    durationMs: step.ms,
    traceId: trace.id,
    spanId: spanId(trace, depth),
    parentId: depth === 0 ? '0' : spanId(trace, depth - 1),
    service: tags['service'] ?? '',
    resource: naming.resource ?? trace.spec.resource,
    operation: naming.operation,
    type: naming.type,
    env: tags['env'] ?? '',
    host: tags['host'] ?? '',
    version: tags['version'] ?? '',
    error: message === undefined ? undefined : errorOf(message),
    code: naming.http && !(step.client && trace.spec.unreached) ? answered : undefined,
    peer: step.client ? step.name : undefined,
    tags: tagsOf(step)
  }
}

const errorOf = (message: string) => ({
  type: /^([\w.]*(?:Error|Exception))/.exec(message)?.[1] ?? 'Error',
  message: message.split('\n')[0] ?? ''
})

function tagsOf({ emitter: { tags }, client, name }: Step): string[] {
  const shown = ['env', 'version', 'team', 'availability-zone'].flatMap(key =>
    tags[key] === undefined ? [] : [`${key}:${tags[key]}`]
  )
  return [
    ...shown,
    `span.kind:${client ? 'client' : 'server'}`,
    ...(client ? [`peer.service:${name}`] : [])
  ]
}
