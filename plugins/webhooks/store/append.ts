import { RayneError, type Statement } from '../../../core/index.ts'
import { booleans, bodies, doubles, integers, texts, uuids, wholes } from './binary-arrays.ts'

/** One webhook as it is about to be committed. */
export interface NewEvent {
  /** 16 bytes, a character each; equal keys are the same delivery. */
  readonly key: string
  /** Whether the key is the sender's own id, which holds for ever, or that of the bytes, which holds for minutes. */
  readonly named: boolean
  /** A number for account, monitor and scope; null when nothing tells one problem from another. */
  readonly problem: number | null
  readonly transition: string
  readonly account: string | null
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly status: string
  readonly monitorId: string | null
  readonly service: string | null
  /** JSON text, null when there is nothing to keep. */
  readonly headers: string | null
  readonly raw: Uint8Array
}
export interface Stored {
  readonly id: number
  readonly duplicate: boolean
}
/** A webhook with those of the same bytes in the same flush. */
interface Given {
  readonly event: NewEvent
  readonly places: number[]
}

/** The call of `webhooks_store`, whose arguments `append` gives. */
export const storeStatement = {
  name: 'webhooks_store',
  text: `select webhooks_store($1::uuid[], $2::boolean[], $3::bigint[], $4::text[], $5::text[],
    $6::float8[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::int[],
    $13::text[]) as ids`
}

/**
 * Stores webhooks in the order they came, in as few calls as the decision about duplicates allows: one, unless some
 * are known by their bytes alone and their problem changes within the flush.
 */
export async function append(
  store: Statement,
  queues: readonly string[],
  events: readonly NewEvent[]
): Promise<Stored[]> {
  const stored: Stored[] = []
  let left = events.map((event, place) => ({ event, place }))
  while (left.length > 0) {
    const { now, later } = split(left)
    const [row] = await store.run([...columns(now), queues])
    // Both numbers and the order are the function's, so that nothing of the array needs a parser.
    const ids = String(row?.['ids']).split(',')
    for (const [at, { places }] of now.entries())
      for (const [nth, place] of places.entries()) {
        const id = Number(ids[at])
        if (!Number.isSafeInteger(id) || id === 0) throw unknownId()
        stored[place] = { id: Math.abs(id), duplicate: id < 0 || nth > 0 }
      }
    left = later
  }
  return stored
}

/**
 * An event that a retention run took away at this very moment has no id to answer with; the next try makes a new
 * one.
 */
const unknownId = (): RayneError =>
  new RayneError({
    code: 'database-unavailable',
    message:
      'the webhook was not stored: the event it repeats has just been deleted; send it again',
    details: { retryAfterSeconds: 1 }
  })

interface Placed {
  readonly event: NewEvent
  readonly place: number
}

/**
 * What one call may hold: webhooks that are known by their bytes are given once, with how often they came, and none of
 * a problem that has changed within the flush.
 */
function split(left: readonly Placed[]): { now: Given[]; later: Placed[] } {
  const given: Given[] = []
  const later: Placed[] = []
  const looks = left.some(({ event }) => !event.named)
  const byBytes = new Map<string, Given>()
  const changes = createChanges()
  for (const one of left) {
    const { event, place } = one
    const known = event.named ? undefined : byBytes.get(event.key)
    if (looks && changes.isAnother(event)) later.push(one)
    else if (known) known.places.push(place)
    else {
      const first = { event, places: [place] }
      given.push(first)
      if (!event.named) byBytes.set(event.key, first)
    }
  }
  // In the order of their keys, so that two calls under way never wait for each other in a circle.
  given.sort((a, b) => (a.event.key < b.event.key ? -1 : 1))
  return { now: given, later }
}

/** Tells whether a problem has changed since its first webhook of a flush. */
function createChanges() {
  const transitions = new Map<number, string>()
  const changed = new Set<number>()
  return {
    isAnother({ problem, transition }: NewEvent): boolean {
      if (problem === null) return false
      const first = transitions.get(problem)
      if (first === undefined) transitions.set(problem, transition)
      else if (first !== transition) changed.add(problem)
      return changed.has(problem)
    }
  }
}

function columns(given: readonly Given[]): Buffer[] {
  const events = given.map(({ event }) => event)
  return [
    uuids(events.map(event => event.key)),
    booleans(events.map(event => event.named)),
    wholes(events.map(event => event.problem)),
    texts(events.map(event => event.transition)),
    texts(events.map(event => event.account)),
    doubles(events.map(event => event.receivedAt)),
    texts(events.map(event => event.status)),
    texts(events.map(event => event.monitorId)),
    texts(events.map(event => event.service)),
    texts(events.map(event => event.headers)),
    bodies(events.map(event => event.raw)),
    integers(given.map(({ places }) => places.length))
  ]
}
