import type { Excess, ServiceLoad, ServiceWindow } from './measure-excess.ts'
import { coMovement, sum } from './statistics.ts'

/** `[caller, callee]`: the first waits for the second. */
export type Call = readonly [caller: string, callee: string]

export interface CallGraph {
  readonly callees: ReadonlyMap<string, ReadonlySet<string>>
  readonly callers: ReadonlyMap<string, ReadonlySet<string>>
}

/** The calls as a graph to walk; a call of a service to itself and repeats are left out. */
export function createCallGraph(calls: readonly Call[]): CallGraph {
  const callees = new Map<string, Set<string>>()
  const callers = new Map<string, Set<string>>()
  const link = (map: Map<string, Set<string>>, from: string, to: string): void => {
    const known = map.get(from)
    if (known) known.add(to)
    else map.set(from, new Set([to]))
  }
  for (const [caller, callee] of calls) {
    if (caller === callee) continue
    link(callees, caller, callee)
    link(callers, callee, caller)
  }
  return { callees, callers }
}

/** Everything that is reached from a service along the links, the service itself included. */
export function reachable(
  links: ReadonlyMap<string, ReadonlySet<string>>,
  from: string
): ReadonlySet<string> {
  const seen = new Set([from])
  for (const name of seen) for (const next of links.get(name) ?? []) seen.add(next)
  return seen
}

/** A span as traces give it; a root has no parent. */
export interface CallSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | null
  readonly service: string
}

/** Who calls whom, read from spans whose parent is in another service. */
export function callsFromSpans(spans: readonly CallSpan[]): Call[] {
  const serviceOf = new Map(spans.map(span => [`${span.traceId} ${span.spanId}`, span.service]))
  const found = new Map<string, Call>()
  for (const span of spans) {
    const caller =
      span.parentId === null ? undefined : serviceOf.get(`${span.traceId} ${span.parentId}`)
    if (caller !== undefined && caller !== span.service)
      found.set(`${caller}\n${span.service}`, [caller, span.service])
  }
  return [...found.values()]
}

/** What is known besides the graph when a missing call is looked for. */
export interface InferenceInput {
  readonly target: string
  readonly known: readonly Call[]
  readonly excess: ReadonlyMap<string, Excess>
  readonly window: ServiceWindow
  readonly history?: ServiceWindow | undefined
}

// Under these the requests of two services do not move as those of caller and callee do.
const leastCorrelation = 0.8
const leastSteps = 8
// A callee's excess lies within its caller's, but for clocks, retries and the edges of buckets.
const leastFit = 0.8
const significantShare = 0.1

/**
 * Calls that the graph lacks although the telemetry shows them: the requests of both services move
 * together, the callee's excess fits into the caller's, and the caller was busy at least as long
 * before the trouble. Last, what is still out of reach of the alerting service hangs under it. Only
 * services with a notable share of the trouble are looked at, so the cost stays small.
 */
export function inferCalls(input: InferenceInput): Call[] {
  const { target, excess, known } = input
  const targetExcess = excess.get(target) ?? []
  const total = sum(targetExcess)
  const notable = [...excess]
    .filter(
      ([name, own]) =>
        name !== target && total > 0 && overlap(own, targetExcess) >= significantShare * total
    )
    .map(([name]) => name)
    .sort((a, b) => sum(excess.get(b) ?? []) - sum(excess.get(a) ?? []) || (a < b ? -1 : 1))
  const inferred: Call[] = []
  const weigh = createWeigher(input)
  for (const caller of notable)
    for (const callee of notable) {
      if (caller === callee) continue
      const graph = createCallGraph([...known, ...inferred])
      if (reachable(graph.callees, caller).has(callee)) continue
      if (reachable(graph.callees, callee).has(caller)) continue
      if (weigh(caller, callee, createCallGraph(known))) inferred.push([caller, callee])
    }
  const { callees, callers } = createCallGraph([...known, ...inferred])
  const reached = reachable(callees, target)
  for (const name of notable)
    if (!reached.has(name) && !notable.some(other => callers.get(name)?.has(other)))
      inferred.push([target, name])
  return inferred
}

const overlap = (a: Excess, b: Excess): number =>
  sum(a.map((figure, index) => Math.min(figure, b[index] ?? 0)))
const fitsInto = (inner: Excess, outer: Excess): boolean =>
  overlap(inner, outer) >= leastFit * sum(inner)

/** Whether the telemetry says that one service calls the other. */
function createWeigher({ excess, window, history }: InferenceInput) {
  const loads = new Map(window.services.map(load => [load.name, load]))
  const past = new Map(history?.services.map(load => [load.name, load]))
  const busyOf = (name: string): number => busySeconds(past.get(name) ?? loads.get(name))
  const requestsOf = (name: string): (number | null)[] => [
    ...(past.get(name)?.requests ?? []),
    null,
    ...(loads.get(name)?.requests ?? [])
  ]
  return (caller: string, callee: string, graph: CallGraph): boolean => {
    const [outer, inner] = [excess.get(caller) ?? [], excess.get(callee) ?? []]
    if (!fitsInto(inner, outer)) return false
    const { correlation, steps } = coMovement(requestsOf(caller), requestsOf(callee))
    if (steps < leastSteps || correlation < leastCorrelation) return false
    const [callerBusy, calleeBusy] = [busyOf(caller), busyOf(callee)]
    if (callerBusy < 0.9 * calleeBusy) return false
    const equal = fitsInto(outer, inner)
    // Every service but the entry has a caller: of two alike, the one that lacks its caller is the callee.
    if (equal && callerBusy < 1.5 * calleeBusy && !graph.callers.has(caller))
      return !graph.callers.has(callee)
    // One that calls nobody and loses more is rather a shared dependency of both than a caller.
    return graph.callees.has(caller) || (equal && !graph.callers.has(callee))
  }
}

/** Seconds that requests spent in a service, all buckets together. */
const busySeconds = (load: ServiceLoad | undefined): number =>
  sum(
    (load?.latencySeconds ?? []).map((value, index) => (value ?? 0) * (load?.requests[index] ?? 0))
  )
