export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * One state patch over a state, by the rules of the wire: objects merge key by key, everything else
 * replaces, null stays.
 */
export function merged(current: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const entries = new Map(isObject(current) ? Object.entries(current) : [])
  for (const [key, value] of Object.entries(patch))
    entries.set(key, merged(entries.get(key), value))
  return Object.fromEntries(entries)
}

/** A text that is the same for equal values, in whatever order their keys are. */
export function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'absent'
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
    .sort()
    .join(',')}}`
}
