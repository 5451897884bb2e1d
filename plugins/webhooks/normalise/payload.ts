import { bound, emptyFields, limits, type Fields } from './bound.ts'
import { line } from './clean.ts'
import { decode, type Decoded } from './decode.ts'
import type { Headers } from './headers.ts'
import { parseDocuments } from './json.ts'
import { names } from './names.ts'
import { createReader } from './reader.ts'

/** A body as fields: what is stored of it, and the object that holds the facts of one alert. */
export interface Payload {
  /** The decoded payload within bounds, without prototypes. */
  readonly fields: Fields
  /** Where the facts are looked for: the fields themselves, or the first object of a list. */
  readonly facts: Fields
  /** Text that is no object and no list, or that stood before the object. */
  readonly text: string | null
  /** Why the body was not plain JSON or a plain form, and what else it held. */
  readonly problem: string | null
}

const maxNamed = 5

/** Reads any body into fields; pure. For a look at a few facts (`asIs`) a small payload is not copied within bounds. */
export function readPayload(raw: Uint8Array, headers: Headers, asIs = false): Payload {
  const { value, problem, preface, size, others = [] } = unwrapped(decode(raw, headers))
  const kept = asIs && size < limits.values ? { value, cut: false } : bound(value)
  const reasons = [
    ...(problem === null ? [] : [problem]),
    ...(problem === null && kept.cut ? ['too large: left out values beyond the limits'] : []),
    ...(others.length > 0 ? [`${others.length + 1} documents: ${firstOf(others)}`] : [])
  ]
  const root = kept.value
  const because = (other: string | null): string | null =>
    reasons.length > 0 ? reasons.join('; ') : other
  if (Array.isArray(root)) {
    const objects = root.filter(isFields)
    const first = objects[0] ?? emptyFields()
    return {
      fields: Object.assign(emptyFields(), { items: root }),
      facts: first,
      text: preface ?? null,
      problem: because(`a list of ${root.length}: ${firstOf(objects.slice(1))}`)
    }
  }
  if (isFields(root))
    return { fields: root, facts: root, text: preface ?? null, problem: because(null) }
  const fields = emptyFields()
  if (root !== null && root !== undefined) fields['text'] = root
  return {
    fields,
    facts: fields,
    text: typeof root === 'string' ? root : null,
    problem: because('not an object')
  }
}

/** JSON that was sent as one JSON string. */
function unwrapped(decoded: Decoded): Decoded {
  if (typeof decoded.value !== 'string' || decoded.problem !== null) return decoded
  if (!/^[[{]/.test(decoded.value)) return decoded
  const inner = parseDocuments(decoded.value)
  return inner.value === undefined ? decoded : { ...inner, size: decoded.size }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names the alerts that are not read, so that nobody takes the first for all. */
function firstOf(others: readonly unknown[]): string {
  const named = others.slice(0, maxNamed).map(nameOf)
  const more = others.length > maxNamed ? `, and ${others.length - maxNamed} more` : ''
  const rest = named.length === 0 ? '' : `; not read: ${named.join(', ')}${more}`
  return `the facts are of the first object${rest}`
}

function nameOf(value: unknown): string {
  const document = Array.isArray(value) ? (value as unknown[])[0] : value
  if (!isFields(document)) return 'one that cannot be read'
  const reader = createReader(document)
  const title = reader.title(names.title, 60) ?? reader.title(names.monitorName, 60)
  const id = reader.text(names.monitorId, 40) ?? reader.text(names.alertId, 40)
  const said = [title === null ? null : `'${line(title, 60)}'`, id].filter(text => text !== null)
  return said.length > 0 ? said.join(' ') : 'one without a name'
}
