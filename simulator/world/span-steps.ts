import type { Series } from '../metrics/series.ts'
import type { Tags } from './effects.ts'
import type { Emitter } from './emitter.ts'
import type { TraceRef } from './logs.ts'
import { gauss, mix } from './random.ts'
import type { World } from './world.ts'

/** One member of a trace's path: who serves it, or calls it when it is no service of ours, and for how long. */
export interface Step {
  readonly name: string
  readonly kind: string | undefined
  readonly emitter: Emitter
  /** A span of the caller: of a store, of an outsider, or of a service that was never reached. */
  readonly client: boolean
  readonly ms: number
}

/** What the spans of one trace need to know of the world, found once. */
export interface Lookup {
  kind(service: string): string | undefined
  instances(service: string, env: string): readonly Emitter[]
  /** A duration metric in seconds; undefined where there is none. */
  seconds(metric: string, tags: Tags, at: number): number | undefined
}

/** Finds services, their instances and their durations by name. */
export function createLookup(world: World): Lookup {
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

/** Kinds that have spans of their own; all else is seen from its caller. */
const servers = new Set(['http', 'worker'])
const serverMetrics: Readonly<Record<string, string>> = {
  http: 'trace.http.request.duration.p95',
  worker: 'trace.kafka.consume.duration.p95'
}
const clientMetrics: Readonly<Record<string, string>> = {
  postgres: 'trace.postgresql.query.duration.p95',
  redis: 'trace.redis.command.duration.p95',
  kafka: 'trace.kafka.produce.duration.p95'
}
const OUTSIDER = 'trace.okhttp.request.duration.p95'
/** What a call takes whose duration nobody measures. */
const UNMEASURED_SECONDS = 0.005

/** The members of a trace's path from the outside in, each with who served it at that time. */
export const stepsOf = (lookup: Lookup, at: number, trace: TraceRef): Step[] =>
  timed(lookup, at, trace, servedBy(lookup, at, trace))

type Untimed = Omit<Step, 'ms'>
/** The line's own instance for its service, otherwise one that runs at that time. */
function servedBy(lookup: Lookup, at: number, { emitter: own, spec, seed }: TraceRef): Untimed[] {
  const steps: Untimed[] = []
  for (const [depth, name] of spec.path.entries()) {
    const kind = lookup.kind(name)
    const before = steps.at(-1)?.emitter
    const isReached = servers.has(kind ?? '') && !(spec.unreached && depth === spec.path.length - 1)
    if (!isReached && before) {
      steps.push({ name, kind, emitter: before, client: true })
      continue
    }
    const live = lookup
      .instances(name, own.tags['env'] ?? '')
      .filter(e => at >= e.from && at < e.until)
    const drawn = live[mix(seed, 20 + depth) % live.length] ?? own
    const emitter = name === own.tags['service'] ? own : drawn
    steps.push({ name, kind, emitter, client: false })
  }
  return steps
}

/** From the inside out: a caller lasts at least as long as what it waits for. */
function timed(lookup: Lookup, at: number, trace: TraceRef, steps: readonly Untimed[]): Step[] {
  const done: Step[] = []
  let inner = 0
  for (const [depth, step] of [...steps.entries()].toReversed()) {
    const p95 = lookup.seconds(metricOf(step), step.emitter.tags, at) ?? UNMEASURED_SECONDS
    // Log-normal with the metric as its 95th percentile.
    const ms = Math.max(0.3, p95 * 1000 * Math.exp(0.6 * gauss(trace.seed, 30 + depth) - 0.987))
    inner = Math.max(ms, inner === 0 ? 0 : inner * 1.02 + 1)
    done.unshift({ ...step, ms: inner })
  }
  return done
}

function metricOf({ client, kind }: Untimed): string {
  if (!client) return serverMetrics[kind ?? ''] ?? ''
  if (kind === undefined) return OUTSIDER
  return clientMetrics[kind] ?? ''
}
