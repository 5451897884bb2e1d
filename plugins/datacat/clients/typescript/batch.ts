import type { Counters } from './counters.ts'
import type { WaitingRequest } from './write-ahead.ts'

/** One thing to write, already as JSON text: what the caller changes later is not sent. */
export interface Item {
  readonly kind: 'states' | 'events' | 'metrics' | 'end'
  readonly text: string
  readonly counters: Counters
}
interface Batch {
  readonly key: string
  readonly end?: boolean
  readonly [kind: string]: unknown
}

/** What the server takes in one request, with room for the names around the items. */
const largestBatch = { items: 500, characters: 300_000 } as const

/** A version 4 UUID; unlike crypto.randomUUID also on pages that are not served over TLS. */
export function createId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export const sessionPath = (sessionId: string, rest = ''): string =>
  `/v1/datacat/sessions/${encodeURIComponent(sessionId)}${rest}`

/** One request of items of one session. Its key goes with it wherever it waits, so that the server takes it once. */
export function batchOf(sessionId: string, items: readonly Item[]): WaitingRequest {
  const parts = (['states', 'events', 'metrics'] as const).flatMap(kind => {
    const own = items.filter(item => item.kind === kind)
    return own.length === 0 ? [] : [`"${kind}":[${own.map(item => item.text).join(',')}]`]
  })
  const end = items.some(item => item.kind === 'end') ? ['"end":true'] : []
  return {
    path: sessionPath(sessionId, '/batch'),
    body: `{${[`"key":"${createId()}"`, ...parts, ...end].join(',')}}`
  }
}

/** The first items of a list that fit into one request; the end of a session is the last of its batch. */
export function takeBatch(items: Item[]): Item[] {
  let [count, characters] = [0, 0]
  for (const { kind, text, counters } of items) {
    characters += text.length + 1
    if (
      count > 0 &&
      (count >= largestBatch.items ||
        characters > largestBatch.characters ||
        counters !== items[0]?.counters)
    )
      break
    count += 1
    if (kind === 'end') break
  }
  return items.splice(0, count)
}

/**
 * A refused batch in two, with keys that follow from its own: also a later process makes the same
 * two. undefined for a single item.
 */
export function halve({ path, body }: WaitingRequest): readonly [Half, Half] | undefined {
  const { key, states, events, metrics, end } = JSON.parse(body) as Batch
  const items = Object.entries({ states, events, metrics }).flatMap(([kind, list]) =>
    Array.isArray(list) ? (list as unknown[]).map(item => [kind, item] as const) : []
  )
  const ends = end === true ? 1 : 0
  if (items.length + ends < 2) return undefined
  const middle = Math.ceil(items.length / 2)
  const half = (number: number, chosen: typeof items, last: number): Half => ({
    path,
    items: chosen.length + last,
    body: JSON.stringify({
      key: `${key}.${number}`,
      ...Object.fromEntries(
        ['states', 'events', 'metrics'].map(kind => [
          kind,
          chosen.filter(([own]) => own === kind).map(([, item]) => item)
        ])
      ),
      ...(last === 1 ? { end: true } : {})
    })
  })
  return [half(1, items.slice(0, middle), 0), half(2, items.slice(middle), ends)]
}
interface Half extends WaitingRequest {
  readonly items: number
}
