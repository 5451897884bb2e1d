import type { Tags } from './effects.ts'
import { spanId, showsIn, type LogRow, type TraceRef } from './logs.ts'
import { gauss, hash, mix, sortableId } from './random.ts'
import type { Series } from '../metrics/series.ts'
import type { Emitter, World } from './world.ts'

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

/** What the spans of one trace need to know of the world, found once. */
interface Lookup {
  kind(service: string): string | undefined
  instances(service: string, env: string): readonly Emitter[]
  seconds(metric: string, tags: Tags, at: number): number | undefined
}

function createLookup(world: World): Lookup {
  const kinds = new Map(world.services.map(service => [service.name, service.kind]))
  const instances = Map.groupBy(world.instances, e => `${e.tags['service']}|${e.tags['env']}`)
  const series = new Map<string, Map<Tags, Series>>()
  const seriesOf = (metric: string): Map<Tags, Series> => {
    let found = series.get(metric)
    if (!found)
      series.set(metric, (found = new Map(world.series(metric).map(one => [one.tags, one]))))
    return found
  }
  return {
    kind: service => kinds.get(service),
    instances: (service, env) => instances.get(`${service}|${env}`) ?? [],
    seconds(metric, tags, at) {
      const value = seriesOf(metric).get(tags)?.valueAt(at)
      return value === undefined || Number.isNaN(value) ? undefined : value
    }
  }
}

interface Step {
  readonly name: string
  readonly emitter: Emitter
  readonly client: boolean
  readonly ms: number
}

function spansOf(lookup: Lookup, row: LogRow, trace: TraceRef): Span[] {
  const { path, failed, upstream = 1 } = trace.spec
  const steps = durations(lookup, row.at, trace, stepsOf(lookup, row.at, trace))
  const innermost = failed === undefined ? -1 : path.indexOf(failed)
  const own = Math.max(
    0,
    steps.findIndex(step => !step.client && step.name === trace.emitter.tags['service'])
  )
  // The line is written when its service has its answer; the outer spans began before.
  let start = row.at - (steps[own]?.ms ?? 0)
  for (let i = own; i > 0; i--) start -= lead(steps[i - 1], steps[i])
  return steps.map((step, depth) => {
    if (depth > 0) start += lead(steps[depth - 1], step)
    const shown = depth > 0 || innermost === 0 || showsIn(trace, upstream)
    return spanOf(lookup, trace, {
      step,
      depth,
      start,
      failed: depth <= innermost && shown,
      message:
        depth === own && own === innermost
          ? row.message
          : depth === innermost
            ? (trace.spec.reason ?? row.message)
            : `${path[depth + 1] ?? ''} answered ${trace.spec.code ?? 500}`
    })
  })
}

const lead = (outer: Step | undefined, inner: Step | undefined): number =>
  Math.max(0, ((outer?.ms ?? 0) - (inner?.ms ?? 0)) * 0.4)

/** Who serves each part of the path: the line's own instance for its service, otherwise one that runs at that time. */
function stepsOf(lookup: Lookup, at: number, trace: TraceRef): Omit<Step, 'ms'>[] {
  const steps: Omit<Step, 'ms'>[] = []
  const { emitter: own, spec } = trace
  for (const [depth, name] of spec.path.entries()) {
    const live = lookup
      .instances(name, own.tags['env'] ?? '')
      .filter(e => at >= e.from && at < e.until)
    const kind = lookup.kind(name)
    const before = steps.at(-1)?.emitter
    const client = kind !== 'http' && kind !== 'worker' && before !== undefined
    const emitter = client
      ? before
      : name === own.tags['service']
        ? own
        : (live[mix(trace.seed, 20 + depth) % live.length] ?? own)
    steps.push({ name, emitter, client })
  }
  return steps
}

/** From the inside out: a caller lasts at least as long as what it waits for. */
function durations(
  lookup: Lookup,
  at: number,
  trace: TraceRef,
  steps: readonly Omit<Step, 'ms'>[]
): Step[] {
  const timed: Step[] = []
  let inner = 0
  for (let depth = steps.length - 1; depth >= 0; depth--) {
    const step = steps[depth] as Omit<Step, 'ms'>
    const p95 =
      (step.client
        ? clientSeconds(lookup, step, at)
        : lookup.seconds('trace.http.request.duration.p95', step.emitter.tags, at)) ?? 0.005
    // Log-normal with the metric as its 95th percentile.
    const ms = Math.max(0.3, p95 * 1000 * Math.exp(0.6 * gauss(trace.seed, 30 + depth) - 0.987))
    inner = Math.max(ms, inner === 0 ? 0 : inner * 1.02 + 1)
    timed.unshift({ ...step, ms: inner })
  }
  return timed
}

/** External systems have a metric of their own on the side of the caller; stores answer in a few milliseconds. */
const clientSeconds = (lookup: Lookup, step: Omit<Step, 'ms'>, at: number): number | undefined =>
  lookup.kind(step.name) !== undefined
    ? undefined
    : lookup.seconds('trace.okhttp.request.duration.p95', step.emitter.tags, at)

interface Drawn {
  readonly step: Step
  readonly depth: number
  readonly start: number
  readonly failed: boolean
  readonly message: string
}

function spanOf(
  lookup: Lookup,
  trace: TraceRef,
  { step, depth, start, failed, message }: Drawn
): Span {
  const { tags } = step.emitter
  const kind = lookup.kind(step.name)
  const operation = !step.client
    ? 'http.request'
    : kind === 'postgres'
      ? 'postgresql.query'
      : kind === 'redis'
        ? 'redis.command'
        : 'okhttp.request'
  const resource = !step.client
    ? trace.spec.resource
    : kind === 'postgres'
      ? 'SELECT stock.reserve'
      : kind === 'redis'
        ? 'GET'
        : `POST ${step.name}`
  const at = Math.round(start)
  const shown = ['env', 'version', 'team', 'availability-zone'].flatMap(key =>
    tags[key] === undefined ? [] : [`${key}:${tags[key]}`]
  )
  return {
    id: sortableId(at, hash(trace.seed, depth)),
    at,
    durationMs: step.ms,
    traceId: trace.id,
    spanId: spanId(trace, depth),
    parentId: depth === 0 ? '0' : spanId(trace, depth - 1),
    service: tags['service'] ?? '',
    resource,
    operation,
    env: tags['env'] ?? '',
    host: tags['host'] ?? '',
    version: tags['version'] ?? '',
    error: failed
      ? {
          type: /^([\w.]*(?:Error|Exception))/.exec(message)?.[1] ?? 'Error',
          message: message.split('\n')[0] ?? ''
        }
      : undefined,
    code:
      step.client && operation !== 'okhttp.request'
        ? undefined
        : failed
          ? (trace.spec.code ?? 500)
          : 200,
    peer: step.client ? step.name : undefined,
    tags: [
      ...shown,
      `span.kind:${step.client ? 'client' : 'server'}`,
      ...(step.client ? [`peer.service:${step.name}`] : [])
    ]
  }
}
