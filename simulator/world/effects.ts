import { matchesGlob } from '../search/glob.ts'
import type { EffectSpec, Scope } from '../scenarios/load-scenario.ts'

/** Tags of one series, log stream or instance. */
export type Tags = Readonly<Record<string, string>>
export interface Effect {
  readonly apply: (value: number, at: number) => number
  readonly removes: (at: number) => boolean
}

/** True when every key of the scope is among the tags with one of the wanted values; `*` stands for any text. */
export function inScope(scope: Scope | undefined, tags: Tags): boolean {
  if (!scope) return true
  return Object.entries(scope).every(([key, wanted]) => {
    const value = tags[key]
    return (
      value !== undefined &&
      (Array.isArray(wanted) ? wanted : [wanted]).some(one => matchesGlob(one, value))
    )
  })
}

/** Turns one effect of a scenario into arithmetic on a value at a time (epoch ms); `t0` is the onset. */
export function compileEffect(spec: EffectSpec, t0: number): Effect {
  const shape = shapeOf(spec, t0)
  const { mag = 0, op = 'mul' } = spec
  if (spec.type === 'dropout') {
    const left = 1 - (spec.mag ?? 1)
    return {
      apply: (value, at) => value * (1 - shape(at) * (1 - left)),
      removes: at => left === 0 && shape(at) === 1
    }
  }
  const apply = (value: number, at: number): number => {
    const weight = shape(at)
    if (weight === 0) return value
    if (op === 'add') return value + mag * weight
    return op === 'set' ? value + (mag - value) * weight : value * (1 + (mag - 1) * weight)
  }
  return { apply, removes: () => false }
}

/** Strength in [0, 1] over time. */
function shapeOf(spec: EffectSpec, t0: number): (at: number) => number {
  const start = t0 + spec.at * 1000
  const length = spec.dur === undefined ? Infinity : spec.dur * 1000
  const end = spec.until === undefined ? Infinity : t0 + spec.until * 1000
  const within =
    (shape: (since: number) => number) =>
    (at: number): number =>
      at < start || at >= end ? 0 : shape(at - start)
  switch (spec.type) {
    case 'step':
    case 'dropout':
      return within(since => (since < length ? 1 : 0))
    case 'ramp':
      return within(since => Math.min(1, since / length))
    case 'sawtooth':
      return within(since => (since % length) / length)
    case 'spike':
      return within(since => (since < length ? Math.sin((Math.PI * since) / length) : 0))
  }
}
