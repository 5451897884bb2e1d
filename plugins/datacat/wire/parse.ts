import type { NewEvent, NewPoint } from '../store/append-rows.ts'
import { checkJson, isObject, stringify, type Json, type JsonObject } from './json.ts'
import { tagsText } from './metric.ts'
import { checkPatches, readPatch } from './patches.ts'

/** A body the first version refuses; `told` is what it says: the same words, whatever is wrong. */
export class InvalidBody extends Error {
  readonly told: string = 'Invalid request body'
}
/** Where this version is stricter, the reason follows these words. */
class StricterBody extends InvalidBody {
  override readonly told: string
  constructor(reason: string) {
    super(reason)
    this.told = `Invalid request body: ${reason}`
  }
}

const space = /[ \t\n\r]/

/** Where the first JSON value of a text ends: the first version ignores whatever follows. */
function endOfValue(text: string): number {
  let at = 0
  while (space.test(text.charAt(at))) at++
  if (text[at] !== '{' && text[at] !== '[') return text.length
  let depth = 0
  for (let quoted = false; at < text.length; at++) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '{' || char === '[') depth++
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1
  }
  return text.length
}

/**
 * The first JSON value of a body; later bytes are ignored, keys such as `__proto__` are ordinary
 * data. Throws `InvalidBody`.
 */
export function parseFirst(bytes: Uint8Array): Json {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return JSON.parse(text) as Json
  } catch {
    const whole = text.slice(0, endOfValue(text))
    try {
      return JSON.parse(firstScalar(whole)) as Json
    } catch (error) {
      throw new InvalidBody('not JSON', { cause: error })
    }
  }
}

const firstScalar = (text: string): string =>
  /^[ \t\n\r]*(null|true|false)(?![\w])/.exec(text)?.[1] ?? text

/** An object whose field names match whatever their case; a later field wins and null leaves the earlier one. */
function fields(value: Json, known: readonly string[]): Record<string, Json> {
  if (value === null) return {}
  if (!isObject(value)) throw new InvalidBody('not an object')
  const found: Record<string, Json> = {}
  for (const key of Object.keys(value)) {
    const name = key.toLowerCase()
    if (known.includes(name) && value[key] !== null) found[name] = value[key] as Json
  }
  return found
}

const textOf = (value: Json | undefined): string => {
  if (value === undefined) return ''
  if (typeof value !== 'string') throw new InvalidBody('not a string')
  return value
}

/** A state patch: an object, or null which changes nothing. */
function parseState(bytes: Uint8Array): JsonObject {
  const value = parseFirst(bytes)
  if (value !== null && !isObject(value)) throw new InvalidBody('not an object')
  const patch = readPatch(value ?? {}, '/body')
  checkPatches([patch], '/body')
  return patch
}

function parseEvent(bytes: Uint8Array): NewEvent {
  const { name, data = null } = fields(parseFirst(bytes), ['name', 'data'])
  if (data !== null && !isObject(data)) throw new InvalidBody('data is not an object')
  checkJson(data, '/body/data')
  return { name: nameOf(name), level: null, at: null, data: stringify(data), extra: null }
}

function parseMetric(bytes: Uint8Array): NewPoint {
  const { name, value = 0, tags = [] } = fields(parseFirst(bytes), ['name', 'value', 'tags'])
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new InvalidBody('value is not a number')
  if (!Array.isArray(tags)) throw new InvalidBody('tags is not an array')
  const texts = tags.map(tag => textOf(tag ?? undefined))
  return {
    name: nameOf(name),
    value,
    at: null,
    tags: tagsText(texts),
    kind: 'gauge',
    unit: null,
    extra: null,
    weight: null,
    sample: null
  }
}

/** Names are limited to 256 characters, and PostgreSQL's text holds no NUL. */
function nameOf(given: Json | undefined): string {
  const name = textOf(given)
  if (name.length > 256) throw new StricterBody('/body/name is longer than 256 characters')
  if (name.includes('\u0000')) throw new StricterBody('/body/name holds a NUL character')
  return name
}

/** A body of the first version, by the last part of its path, as it is stored; throws `InvalidBody`. */
export function parseWrites(verb: 'state' | 'events' | 'metrics', bytes: Uint8Array) {
  const own = { bytes: bytes.length }
  if (verb === 'state')
    return { ...own, states: [{ patch: parseState(bytes), at: null, said: null }] }
  if (verb === 'events') return { ...own, events: [parseEvent(bytes)] }
  return { ...own, points: [parseMetric(bytes)] }
}
