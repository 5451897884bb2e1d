import type { Tags } from './effects.ts'
import { hex, mix, unit } from './random.ts'

/** Makes a value from a seed and the tags of what emits it. */
export type Render<T> = (seed: number, tags: Tags) => T

/**
 * Compiles `{int:1:200}`, `{hex:16}`, `{pick:a|b}` and `{tag:service}` inside a text; other braces stay as they are.
 * The n-th placeholder of a text draws the n-th number of the seed, and `{same:n}` repeats the n-th (from 0).
 */
export function compileTemplate(text: string): Render<string> {
  const parts = text.split(/(\{(?:int|hex|pick|tag|same):[^{}]*\})/)
  if (parts.length === 1) return () => text
  const renders = parts.map((part, i) =>
    i % 2 === 0 ? () => part : placeholder(part.slice(1, -1), (i - 1) / 2)
  )
  const draws = renders.filter((_, i) => i % 2 === 1)
  return (seed, tags) => {
    let out = ''
    for (const [i, render] of renders.entries()) {
      const again = i % 2 === 1 ? /^\{same:(\d+)\}$/.exec(parts[i] ?? '') : null
      out += (again ? (draws[Number(again[1])] ?? render) : render)(seed, tags)
    }
    return out
  }
}

function placeholder(text: string, index: number): Render<string> {
  const [kind = '', ...rest] = text.split(':')
  const argument = rest.join(':')
  if (kind === 'hex') return seed => hex(mix(seed, 50 + index), Number(argument))
  if (kind === 'tag') return (_, tags) => tags[argument] ?? ''
  if (kind === 'int') {
    const [low = 0, high = 0] = rest.map(Number)
    return seed => String(Math.floor(low + unit(seed, 50 + index) * (high - low + 1)))
  }
  const options = argument.split('|')
  return seed => options[mix(seed, 50 + index) % options.length] ?? ''
}

/** Compiles every text inside a JSON value; a text that is one whole `{int:…}` becomes a number. */
export function compileValue(value: unknown): Render<unknown> {
  if (typeof value === 'string') {
    const text = compileTemplate(value)
    return /^\{int:[^{}]*\}$/.test(value) ? (seed, tags) => Number(text(seed, tags)) : text
  }
  if (Array.isArray(value)) {
    const items = value.map(compileValue)
    return (seed, tags) => items.map(item => item(seed, tags))
  }
  if (typeof value !== 'object' || value === null) return () => value
  const entries = Object.entries(value).map(([key, inner]) => [key, compileValue(inner)] as const)
  return (seed, tags) => Object.fromEntries(entries.map(([key, inner]) => [key, inner(seed, tags)]))
}
