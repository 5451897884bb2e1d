import { cut, storable } from './clean.ts'
import { isKnownName } from './names.ts'

/** How much of a payload is kept; the raw bytes are stored beside it in full. */
export const limits = { depth: 32, values: 5_000, text: 100_000, key: 256 } as const

export type Fields = Record<string, unknown>
interface Room {
  left: number
  cut: boolean
}

/** A record without a prototype, so that a key named `constructor` is only a key. */
export const emptyFields = (): Fields => Object.create(null) as Fields

/** Copies decoded data within `limits`, storable in jsonb; `cut` tells whether something was left out. */
export function bound(value: unknown): { readonly value: unknown; readonly cut: boolean } {
  const room: Room = { left: limits.values, cut: false }
  return { value: copy(value, 0, room), cut: room.cut }
}

function copy(value: unknown, depth: number, room: Room): unknown {
  if (typeof value === 'string') return storable(value, limits.text)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === null || typeof value === 'boolean') return value
  if (typeof value !== 'object') return null
  if (depth >= limits.depth) {
    room.cut = true
    return '…'
  }
  return Array.isArray(value)
    ? copyArray(value, depth, room)
    : copyObject(value as Fields, depth, room)
}

function copyArray(values: readonly unknown[], depth: number, room: Room): unknown[] {
  const out: unknown[] = []
  for (const value of values) {
    if (room.left-- <= 0) {
      room.cut = true
      break
    }
    out.push(copy(value, depth + 1, room))
  }
  return out
}

function copyObject(value: Fields, depth: number, room: Room): Fields {
  const out = emptyFields()
  for (const key of rankedKeys(value, depth)) {
    if (room.left-- <= 0) {
      room.cut = true
      break
    }
    out[storable(cut(key, limits.key), limits.key)] = copy(value[key], depth + 1, room)
  }
  return out
}

function rankedKeys(value: Fields, depth: number): string[] {
  // Left out because Object.assign onto an ordinary object would make it the prototype.
  const keys = Object.keys(value).filter(key => key !== '__proto__')
  if (depth > 0 || keys.length <= limits.values) return keys
  const known = keys.filter(isKnownName)
  return [...known, ...keys.filter(key => !isKnownName(key))]
}
