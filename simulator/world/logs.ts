import { inScope, type Effect, type Tags } from './effects.ts'
import { decimal, hash, mix, sortableId, unit } from './random.ts'
import type { LogSpec, TraceSpec } from '../scenarios/load-scenario.ts'
import { compileTemplate, compileValue, type Render } from './templates.ts'
import type { Emitter } from './emitter.ts'

/** One log line as generated; tags may repeat and `service` may be absent, as in the real thing. */
export interface LogRow {
  readonly id: string
  readonly at: number
  readonly status: string
  readonly host: string
  readonly service: string | undefined
  readonly message: string
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly trace?: TraceRef
  words?: string
  json?: string
}
/** The request a line belongs to; equal for all lines of that request. `emitter` wrote the line that stands for it. */
export interface TraceRef {
  readonly id: string
  readonly seed: number
  readonly spec: TraceSpec
  readonly emitter: Emitter
}
/** All lines of one template for one service and environment; `fixed` holds on every line. */
export interface LogStream {
  readonly ref: string
  readonly fixed: Tags
  readonly follows: boolean
  readonly traced: boolean
  minute(index: number): readonly LogRow[]
}

/** The id of the span of one member of a trace's path, in decimal. */
export const spanId = (trace: TraceRef, depth: number): string =>
  decimal(hash(trace.seed, 'span', depth), 19)
/** Draws once per trace who among its followers and outer services shows it; shares are nested. */
export const showsIn = (trace: TraceRef, share: number): boolean => unit(trace.seed, 77) < share

const MINUTE = 60_000
const CACHED_ROWS = 20_000

/** The streams of every template; the lines of a minute are made on demand and kept while they are asked for. */
export function createStreams(
  specs: readonly LogSpec[],
  emitters: { readonly host: readonly Emitter[]; readonly instance: readonly Emitter[] },
  seed: number,
  effectsOn: (ref: string, tags: Tags) => readonly Effect[]
): LogStream[] {
  const made: LogStream[] = []
  // Those that follow others come last: they are read from them.
  for (const spec of specs.toSorted(
    (a, b) => Number(a.follows !== undefined) - Number(b.follows !== undefined)
  )) {
    const groups = Map.groupBy(
      emitters[spec.per].filter(e => inScope(spec.where, e.tags)),
      e => `${e.tags['service'] ?? ''}|${e.tags['env'] ?? ''}`
    )
    for (const [name, members] of groups) {
      const fixed = common(members)
      const own = hash(seed, spec.ref, name)
      const leaders = spec.follows
        ? made.filter(
            stream => stream.ref === spec.follows?.log && stream.fixed['env'] === fixed['env']
          )
        : undefined
      const minute = leaders
        ? following(spec, members, own, leaders)
        : minutes(spec, members, own, effectsOn(spec.ref, fixed))
      made.push({
        ref: spec.ref,
        fixed: { ...fixed, status: spec.status, source: spec.source },
        follows: leaders !== undefined,
        traced: spec.trace !== undefined,
        minute
      })
    }
  }
  return made
}

/** The lines that answer to lines of other streams: same trace, a little later. */
function following(
  spec: LogSpec,
  members: readonly Emitter[],
  seed: number,
  leaders: readonly LogStream[]
): LogStream['minute'] {
  const { share = 1, delayMs = 0 } = spec.follows ?? {}
  const line = lineMaker(spec, seed)
  return kept(index =>
    [index - 1, index, index + 1]
      .flatMap(minute => leaders.flatMap(leader => leader.minute(minute)))
      .flatMap(row => {
        const at = row.at + delayMs
        if (!row.trace || !showsIn(row.trace, share) || Math.floor(at / MINUTE) !== index) return []
        const own = mix(row.trace.seed, 3)
        const live = members.filter(m => at >= m.from && at < m.until)
        const emitter = live[own % live.length]
        return emitter ? [line(emitter, at, own, row.trace)] : []
      })
  )
}

/** Keeps the minutes that were asked for, up to a number of lines. */
function kept(make: (index: number) => readonly LogRow[]): LogStream['minute'] {
  const cache = new Map<number, readonly LogRow[]>()
  let rows = 0
  return index => {
    const cached = cache.get(index)
    if (cached) return cached
    const made = make(index)
    if (rows > CACHED_ROWS || cache.size > CACHED_ROWS) {
      cache.clear()
      rows = 0
    }
    cache.set(index, made)
    rows += made.length
    return made
  }
}

/** Tags that all members share with the same value. */
function common(members: readonly Emitter[]): Tags {
  const [first, ...rest] = members
  return Object.fromEntries(
    Object.entries(first?.tags ?? {}).filter(([key, value]) =>
      rest.every(m => m.tags[key] === value)
    )
  )
}

function minutes(
  spec: LogSpec,
  members: readonly Emitter[],
  seed: number,
  effects: readonly Effect[]
): LogStream['minute'] {
  const hosts = new Set(members.map(m => m.tags['host'])).size
  const rate = spec.rate * (members[0]?.share ?? 1) * hosts
  const rateAt = (at: number): number =>
    Math.max(
      0,
      effects.reduce((value, effect) => effect.apply(value, at), rate)
    )
  const line = lineMaker(spec, seed)
  return kept(index => {
    const rows: LogRow[] = []
    const start = index * MINUTE
    const highest = Math.max(
      rateAt(start),
      rateAt(start + 20_000),
      rateAt(start + 40_000),
      rateAt(start + MINUTE - 1)
    )
    const own = mix(seed, index)
    const count = Math.floor(highest + unit(own, -1))
    for (let i = 0; i < count; i++) {
      const at = start + Math.floor(unit(own, i * 3) * MINUTE)
      if (unit(own, i * 3 + 1) * highest > rateAt(at)) continue
      const live = members.filter(m => at >= m.from && at < m.until)
      const emitter = live[mix(own, i * 3 + 2) % live.length]
      if (emitter) rows.push(line(emitter, at, mix(own, 1_000_000 + i)))
    }
    return rows
  })
}

function lineMaker(
  spec: LogSpec,
  seed: number
): (emitter: Emitter, at: number, own: number, trace?: TraceRef) => LogRow {
  const message = compileTemplate(spec.message)
  const attributes = compileValue(spec.attributes ?? {}) as Render<Record<string, unknown>>
  const tagsOf = new Map<Emitter, { plain: readonly string[]; twice: readonly string[] }>()
  return (emitter, at, own, given) => {
    let tags = tagsOf.get(emitter)
    if (!tags) tagsOf.set(emitter, (tags = tagLists(spec, emitter.tags)))
    const service = emitter.tags['service']
    const trace = given ?? (spec.trace && traceOf(spec.trace, hash('trace', seed, own), emitter))
    return {
      id: sortableId(at, own ^ seed),
      at,
      status: spec.status,
      host: emitter.tags['host'] ?? '',
      service: unit(own, 1) < 0.1 ? undefined : service,
      message: message(own, emitter.tags),
      tags: unit(own, 2) < 0.1 ? tags.twice : tags.plain,
      attributes: trace
        ? {
            ...attributes(own, emitter.tags),
            trace_id: trace.id,
            span_id: spanId(trace, Math.max(0, trace.spec.path.indexOf(service ?? '')))
          }
        : attributes(own, emitter.tags),
      ...(trace ? { trace } : {})
    }
  }
}

const traceOf = (spec: TraceSpec, seed: number, emitter: Emitter): TraceRef => ({
  id: decimal(seed, 19),
  seed,
  spec,
  emitter
})

function tagLists(
  spec: LogSpec,
  tags: Tags
): { plain: readonly string[]; twice: readonly string[] } {
  const shown = Object.entries(tags)
    .filter(([key]) => key !== 'kind' && key !== 'host')
    .map(([key, value]) => `${key}:${value}`)
  const plain = [...shown, `source:${spec.source}`]
  return { plain, twice: [...plain, `source:${spec.source}`] }
}
