import { inScope, type Effect, type Tags } from './effects.ts'
import { hash, mix, sortableId, unit } from './random.ts'
import type { LogSpec } from './scenario.ts'
import { compileTemplate, compileValue, type Render } from './templates.ts'
import type { Emitter } from './world.ts'

/** One log line as generated; tags may repeat and `service` may be absent, as in the real thing. */
export interface LogRow { readonly id: string; readonly at: number; readonly status: string; readonly host: string; readonly service: string | undefined; readonly message: string; readonly tags: readonly string[]; readonly attributes: Readonly<Record<string, unknown>>; words?: string; json?: string }
/** All lines of one template for one service and environment; `fixed` holds on every line. */
export interface LogStream { readonly fixed: Tags; minute(index: number): readonly LogRow[] }

const MINUTE = 60_000
const CACHED_ROWS = 20_000

/** The streams of every template; the lines of a minute are made on demand and kept while they are asked for. */
export function createStreams(specs: readonly LogSpec[], emitters: { readonly host: readonly Emitter[]; readonly instance: readonly Emitter[] }, seed: number, effectsOn: (ref: string, tags: Tags) => readonly Effect[]): LogStream[] {
  return specs.flatMap(spec => {
    const groups = Map.groupBy(emitters[spec.per].filter(e => inScope(spec.where, e.tags)), e => `${e.tags['service'] ?? ''}|${e.tags['env'] ?? ''}`)
    return [...groups].map(([name, members]) => {
      const fixed = common(members)
      return { fixed: { ...fixed, status: spec.status, source: spec.source }, minute: minutes(spec, members, hash(seed, spec.ref, name), effectsOn(spec.ref, fixed)) }
    })
  })
}

/** Tags that all members share with the same value. */
function common(members: readonly Emitter[]): Tags {
  const [first, ...rest] = members
  return Object.fromEntries(Object.entries(first?.tags ?? {}).filter(([key, value]) => rest.every(m => m.tags[key] === value)))
}

function minutes(spec: LogSpec, members: readonly Emitter[], seed: number, effects: readonly Effect[]): LogStream['minute'] {
  const hosts = new Set(members.map(m => m.tags['host'])).size
  const rate = spec.rate * (members[0]?.share ?? 1) * hosts
  const rateAt = (at: number): number => Math.max(0, effects.reduce((value, effect) => effect.apply(value, at), rate))
  const line = lineMaker(spec, seed)
  const cache = new Map<number, readonly LogRow[]>()
  let kept = 0
  return index => {
    const cached = cache.get(index)
    if (cached) return cached
    const rows: LogRow[] = []
    const start = index * MINUTE
    const highest = Math.max(rateAt(start), rateAt(start + 20_000), rateAt(start + 40_000), rateAt(start + MINUTE - 1))
    const own = mix(seed, index)
    const count = Math.floor(highest + unit(own, -1))
    for (let i = 0; i < count; i++) {
      const at = start + Math.floor(unit(own, i * 3) * MINUTE)
      if (unit(own, i * 3 + 1) * highest > rateAt(at)) continue
      const live = members.filter(m => at >= m.from && at < m.until)
      const emitter = live[mix(own, i * 3 + 2) % live.length]
      if (emitter) rows.push(line(emitter, at, mix(own, 1_000_000 + i)))
    }
    if (kept > CACHED_ROWS || cache.size > CACHED_ROWS) { cache.clear(); kept = 0 }
    cache.set(index, rows)
    kept += rows.length
    return rows
  }
}

function lineMaker(spec: LogSpec, seed: number): (emitter: Emitter, at: number, own: number) => LogRow {
  const message = compileTemplate(spec.message)
  const attributes = compileValue(spec.attributes ?? {}) as Render<Record<string, unknown>>
  const tagsOf = new Map<Emitter, { plain: readonly string[]; twice: readonly string[] }>()
  return (emitter, at, own) => {
    let tags = tagsOf.get(emitter)
    if (!tags) tagsOf.set(emitter, tags = tagLists(spec, emitter.tags))
    const service = emitter.tags['service']
    return {
      id: sortableId(at, own ^ seed), at, status: spec.status, host: emitter.tags['host'] ?? '',
      service: unit(own, 1) < 0.1 ? undefined : service,
      message: message(own, emitter.tags), tags: unit(own, 2) < 0.1 ? tags.twice : tags.plain, attributes: attributes(own, emitter.tags)
    }
  }
}

function tagLists(spec: LogSpec, tags: Tags): { plain: readonly string[]; twice: readonly string[] } {
  const shown = Object.entries(tags).filter(([key]) => key !== 'kind' && key !== 'host').map(([key, value]) => `${key}:${value}`)
  const plain = [...shown, `source:${spec.source}`]
  return { plain, twice: [...plain, `source:${spec.source}`] }
}
