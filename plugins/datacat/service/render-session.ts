import { createGroupCommit, type Knex } from '../../../core/index.ts'
import { eventStore, type EventRow } from '../store/events.ts'
import { bySeries, pointStore, type PointRow } from '../store/points.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import type { StateBase } from '../store/states.ts'
import { iso } from '../wire/time.ts'
import { stateText } from './state-text.ts'

// Sessions with more items are streamed and not kept.
const maxKeptItems = 100_000
const maxKeptBytes = 64_000_000

/** One session as it was last answered; only what came since is read and written anew. */
interface Kept {
  readonly key: number
  readonly signature: string
  readonly text: Buffer
  readonly eventsAt: readonly [number, number]
  readonly metricsAt: readonly [number, number]
  readonly events: number
  readonly points: number
  readonly counts: ReadonlyMap<number, number>
}

const eventText = (event: EventRow): string =>
  `{"timestamp":"${iso(event.at)}","name":${JSON.stringify(event.name)},"data":${event.data}}`
const pointText = ({ at, value, tags }: PointRow, name: string): string =>
  `{"timestamp":"${iso(at)}"${name}${number(value)}${tags === null ? '' : `,"tags":${tags}`}}`
const number = (value: number): string =>
  Object.is(value, -0) ? '-0' : String(JSON.stringify(value))

const headOf = (session: SessionRow, state: string): string => {
  const ended = session.endedAt === null ? '' : `"ended_at":"${iso(session.endedAt)}",`
  return (
    `{"id":"${session.id}","created_at":"${iso(session.createdAt)}",` +
    `"updated_at":"${iso(session.updatedAt)}",${ended}"active":${session.active},` +
    `"state":${state},"events":[`
  )
}
const between = '],"metrics":['
const closing = ']}'

const signatureOf = (session: SessionRow): string =>
  [
    session.key,
    session.updatedAt,
    session.endedAt,
    session.active,
    session.states,
    session.events,
    session.points
  ].join(' ')

/**
 * The session object of the first version as JSON text: keys in its order, events and metrics in
 * the order they came.
 */
export function createRenderer(db: Knex) {
  const kept = new Map<string, Kept>()
  // Readers who come while a look-up is under way share the next one, which begins after all of them came.
  const lookUps = createGroupCommit<
    string,
    { readonly session: SessionRow; readonly base: StateBase } | undefined
  >(
    async ids => {
      const found = await sessionStore.withStates(db, [...new Set(ids)])
      return ids.map(id => found.get(id))
    },
    { batch: 20, parallel: 2 }
  )
  let bytes = 0

  function keep(id: string, entry: Kept): void {
    forget(id)
    kept.set(id, entry)
    bytes += entry.text.length
    for (const oldest of kept.keys()) {
      if (bytes <= maxKeptBytes) return
      forget(oldest)
    }
  }
  function forget(id: string): void {
    const entry = kept.get(id)
    if (entry) bytes -= entry.text.length
    kept.delete(id)
  }

  async function render(session: SessionRow, base: StateBase): Promise<Buffer> {
    const signature = signatureOf(session)
    const known = kept.get(session.id)
    if (known?.signature === signature) return touch(session.id, known)
    // Another session may have been opened under the id of a deleted one.
    const old = known?.key === session.key ? known : undefined
    const [events, points, counts] = [[] as string[], [] as string[], new Map(old?.counts)]
    for await (const part of eventParts(db, session, old?.events ?? 0)) events.push(part)
    for await (const part of pointParts(db, session, counts)) points.push(part)
    const text = (at: readonly [number, number] | undefined): Buffer =>
      at && old ? old.text.subarray(...at) : Buffer.alloc(0)
    const join = (before: Buffer, added: readonly string[]): Buffer =>
      Buffer.concat([
        before,
        Buffer.from(before.length > 0 && added.length > 0 ? `,${added.join(',')}` : added.join(','))
      ])
    const [head, eventsText, metricsText] = [
      Buffer.from(headOf(session, stateText(base))),
      join(text(old?.eventsAt), events),
      join(text(old?.metricsAt), points)
    ]
    const metricsFrom = head.length + eventsText.length + between.length
    const whole = Buffer.concat([
      head,
      eventsText,
      Buffer.from(between),
      metricsText,
      Buffer.from(`${closing}\n`)
    ])
    keep(session.id, {
      key: session.key,
      signature,
      text: whole,
      eventsAt: [head.length, head.length + eventsText.length],
      metricsAt: [metricsFrom, metricsFrom + metricsText.length],
      events: session.events,
      points: session.points,
      counts
    })
    return whole
  }

  function touch(id: string, entry: Kept): Buffer {
    kept.delete(id)
    kept.set(id, entry)
    return entry.text
  }

  return {
    /** The whole session, in parts when it is large; undefined when there is none. */
    async session(id: string): Promise<Buffer | AsyncIterable<string> | undefined> {
      const found = await lookUps.add(id)
      if (!found) {
        forget(id)
        return undefined
      }
      return found.session.events + found.session.points > maxKeptItems
        ? stream(db, found.session, stateText(found.base), '\n')
        : render(found.session, found.base)
    }
  }
}

/** One session in parts, for answers that are not kept. */
export async function* stream(
  db: Knex,
  session: SessionRow,
  state: string,
  end = ''
): AsyncGenerator<string> {
  yield headOf(session, state)
  let comma = ''
  for await (const part of eventParts(db, session, 0)) {
    yield comma + part
    comma = ','
  }
  yield between
  comma = ''
  for await (const part of pointParts(db, session, new Map())) {
    yield comma + part
    comma = ','
  }
  yield closing + end
}

async function* eventParts(db: Knex, session: SessionRow, from: number): AsyncGenerator<string> {
  for await (const page of eventStore.all(db, session.key, from, session.events))
    yield page.map(eventText).join(',')
}

/** Reads from where `counts` stands, and moves it. */
async function* pointParts(
  db: Knex,
  session: SessionRow,
  counts: Map<number, number>
): AsyncGenerator<string> {
  const known = [...counts.values()].reduce((sum, count) => sum + count, 0)
  if (known >= session.points) return
  const series = await pointStore.series(db, session.key)
  const nameOf = bySeries(series, one => `,"name":${JSON.stringify(one.name)},"value":`)
  const after = new Map<number, number>()
  for (const { id, points } of series) {
    // A series that was not there before is read from its beginning.
    const from = counts.get(id) ?? 0
    if (points > from) after.set(id, from)
  }
  for await (const page of pointStore.inOrder(db, after, session.points)) {
    for (const { series: id, n } of page) counts.set(id, n + 1)
    yield page.map(point => pointText(point, nameOf(point))).join(',')
  }
}
