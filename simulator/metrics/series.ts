import { inScope, type Effect, type Tags } from '../world/effects.ts'
import { gauss, hash, unit } from '../world/random.ts'
import type { MetricSpec } from '../scenarios/load-scenario.ts'
import type { Emitter } from '../world/emitter.ts'

/**
 * One metric with one set of tags; `valueAt` is per second for counts, NaN where the series does not exist;
 * `buckets` keeps what was computed.
 */
export interface Series {
  readonly seed: number
  readonly tags: Tags
  readonly valueAt: (at: number) => number
  readonly buckets: Map<string, Map<number, number>>
}

const DAY = 86_400_000
const HOUR = 3_600_000
const PERSISTENCE = 0.7

/** The series of one metric over everything that emits it. */
export function createSeries(
  spec: MetricSpec,
  emitters: readonly Emitter[],
  seed: number,
  effectsOn: (tags: Tags) => readonly Effect[],
  seriesOf: (metric: string) => readonly Series[]
): Series[] {
  const parents = new Map(
    (spec.ratioOf ? seriesOf(spec.ratioOf) : []).map(parent => [key(parent.tags), parent])
  )
  return emitters
    .filter(e => inScope(spec.where, e.tags))
    .flatMap(emitter => {
      const base = typeof spec.base === 'number' ? spec.base : emitter.params[spec.base]
      const parent = spec.ratioOf ? parents.get(key(emitter.tags)) : undefined
      if (base === undefined || (spec.ratioOf && !parent)) return []
      const own = hash(seed, spec.name, key(emitter.tags))
      const scaled = spec.split ? base * emitter.share : base
      return {
        seed: own,
        tags: emitter.tags,
        valueAt: generator(spec, scaled, own, emitter, effectsOn(emitter.tags), parent),
        buckets: new Map<string, Map<number, number>>()
      }
    })
}

function generator(
  spec: MetricSpec,
  base: number,
  seed: number,
  life: { from: number; until: number },
  effects: readonly Effect[],
  parent: Series | undefined
): Series['valueAt'] {
  const { daily = 0, noise = 0.04, max = Infinity } = spec
  const drift = autoregression(seed)
  return at => {
    if (at < life.from || at >= life.until) return NaN
    let value = base * (1 + daily * Math.sin(2 * Math.PI * (at / DAY - 0.375)))
    if (noise > 0) value *= 1 + noise * (drift(at) + unit(seed, at / 5000) - 0.5)
    for (const effect of effects) {
      if (effect.removes(at)) return NaN
      value = effect.apply(value, at)
    }
    if (parent) return Math.min(1, Math.max(0, value)) * parent.valueAt(at)
    return Math.min(max, Math.max(0, value))
  }
}

/** AR(1) noise a minute: it restarts every hour, so that any minute can be read without its past. */
function autoregression(seed: number): (at: number) => number {
  const hours = new Map<number, Float32Array>()
  return at => {
    const hour = Math.floor(at / HOUR)
    let values = hours.get(hour)
    if (!values) {
      if (hours.size > 200) hours.clear()
      hours.set(hour, (values = hourOfNoise(seed, hour)))
    }
    return values[Math.floor((at - hour * HOUR) / 60_000)] ?? 0
  }
}

function hourOfNoise(seed: number, hour: number): Float32Array {
  const values = new Float32Array(60)
  let last = 0
  for (let minute = 0; minute < 60; minute++) {
    const shock = gauss(seed, hour * 60 + minute)
    values[minute] = last =
      minute === 0 ? shock : PERSISTENCE * last + Math.sqrt(1 - PERSISTENCE ** 2) * shock
  }
  return values
}

const key = (tags: Tags): string =>
  Object.entries(tags)
    .map(([k, v]) => `${k}:${v}`)
    .toSorted()
    .join(',')
