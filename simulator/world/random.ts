/** A 32-bit hash of text and numbers: the seed of everything that must repeat. */
export function hash(...parts: readonly (string | number)[]): number {
  let h = 0x811c9dc5
  for (const part of parts) {
    const text = String(part)
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
    h = Math.imul(h ^ 0xff, 0x01000193)
  }
  return finish(h)
}

/** Mixes a seed with an index; the hot path of every generator. */
export const mix = (seed: number, index: number): number =>
  finish(Math.imul(seed ^ Math.imul(index | 0, 0x9e3779b1), 0x85ebca6b))

function finish(value: number): number {
  let h = value
  h ^= h >>> 16
  h = Math.imul(h, 0x7feb352d)
  h ^= h >>> 15
  h = Math.imul(h, 0x846ca68b)
  h ^= h >>> 16
  return h >>> 0
}

/** Uniform in [0, 1). */
export const unit = (seed: number, index: number): number => mix(seed, index) / 4294967296

/** Standard normal by the sum of four uniforms: tails beyond 3.5 never occur, which suits load curves. */
export function gauss(seed: number, index: number): number {
  const at = index * 4
  return (
    (unit(seed, at) + unit(seed, at + 1) + unit(seed, at + 2) + unit(seed, at + 3) - 2) * 1.7320508
  )
}

/** Lower-case hexadecimal digits from a seed. */
export function hex(seed: number, digits: number): string {
  let text = ''
  for (let i = 0; text.length < digits; i++) text += mix(seed, i).toString(16).padStart(8, '0')
  return text.slice(0, digits)
}

/** A UUID of version 4 from a seed. */
export function uuid(seed: number): string {
  const digits = hex(seed, 32)
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(13, 16)}`]
  return [...parts, `a${digits.slice(17, 20)}`, digits.slice(20)].join('-')
}

/** A positive decimal integer of `digits` digits as text; 19 digits exceed 2^53 on purpose. */
export function decimal(seed: number, digits: number): string {
  let text = String(1 + (mix(seed, 0) % 8))
  for (let i = 1; text.length < digits; i++)
    text += String(mix(seed, i) % 1_000_000_000).padStart(9, '0')
  return text.slice(0, digits)
}

const ordered = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'

/** An id that sorts as text in the order of (time in ms, seed), in the look of Datadog's event and log ids. */
export function sortableId(at: number, seed: number): string {
  let text = ''
  let rest = at
  for (let i = 0; i < 8; i++) {
    text = ordered[rest % 64] + text
    rest = Math.floor(rest / 64)
  }
  for (let i = 0; i < 16; i++) text += ordered[mix(seed, i) & 63]
  return `AwAAA${text}`
}
