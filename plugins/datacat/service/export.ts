import type { Knex } from '../../../core/index.ts'
import { eventStore } from '../store/events.ts'
import type { SessionFilter } from '../store/filters.ts'
import { heartbeatStore } from '../store/heartbeats.ts'
import { listStore } from '../store/list.ts'
import { bySeries, pointStore, type PointRow } from '../store/points.ts'
import type { SessionRow } from '../store/sessions.ts'
import { stateStore, type StateBase } from '../store/states.ts'
import { stream } from './render-session.ts'
import { stateText } from './state-text.ts'
import { eventOut, pointOut, stateOut, summaryOf } from './wire-out.ts'

const pageSize = 200

/** Exports read in pages and hold no transaction, so that a slow reader costs nobody anything. */
export const createExporter = (db: Knex) => ({
  /** Sessions as one JSON array of the first version's objects. */
  array: (filter: SessionFilter, limit: number) => array(db, filter, limit),
  /** One JSON record a line: each session, then its states, events and metrics. */
  lines: (filter: SessionFilter) => lines(db, filter)
})

async function* sessions(
  db: Knex,
  filter: SessionFilter,
  limit: number
): AsyncGenerator<SessionRow[]> {
  for (let [left, key] = [limit, 0]; left > 0;) {
    const page = await listStore.after(db, filter, key, Math.min(left, pageSize))
    const last = page.at(-1)
    if (!last) return
    yield page
    left -= page.length
    key = last.key
  }
}

async function* array(db: Knex, filter: SessionFilter, limit: number): AsyncGenerator<string> {
  let text = '['
  let comma = ''
  for await (const page of sessions(db, filter, limit)) {
    const keys = page.map(one => one.key)
    const bases = await stateStore.current(db, keys)
    for (const session of page) {
      text += comma
      comma = ','
      for await (const part of stream(db, session, textOf(bases.get(session.key)))) {
        text += part
        if (text.length < 65_536) continue
        yield text
        text = ''
      }
    }
  }
  yield `${text}]\n`
}

async function* lines(db: Knex, filter: SessionFilter): AsyncGenerator<string> {
  for await (const page of sessions(db, filter, Number.MAX_SAFE_INTEGER))
    for (const session of page) {
      yield await sessionLine(db, session)
      yield* stateLines(db, session)
      yield* eventLines(db, session)
      yield* metricLines(db, session)
    }
}

/** A session without any update has an empty state. */
const textOf = (base: StateBase | undefined): string => (base ? stateText(base) : '{}')
const line = (type: string, record: object): string => `${JSON.stringify({ type, ...record })}\n`

async function sessionLine(db: Knex, session: SessionRow): Promise<string> {
  const state = textOf((await stateStore.current(db, [session.key])).get(session.key))
  const beat = await heartbeatStore.find(db, session.key)
  const summary = summaryOf(session, beat?.lastAt ?? null)
  return line('session', { ...summary, state: JSON.parse(state) as unknown })
}

async function* stateLines(db: Knex, { id, key, states }: SessionRow): AsyncGenerator<string> {
  for (let after = 0; after < states;) {
    const rows = await stateStore.history(db, key, { after, limit: 500 })
    const last = rows.at(-1)
    if (!last) return
    yield rows.map(row => line('state', { session_id: id, ...stateOut(row) })).join('')
    after = last.n
  }
}

async function* eventLines(db: Knex, { id, key, events }: SessionRow): AsyncGenerator<string> {
  for await (const rows of eventStore.all(db, key, 0, events))
    yield rows.map(row => line('event', { session_id: id, ...eventOut(row) })).join('')
}

async function* metricLines(db: Knex, { id, key, points }: SessionRow): AsyncGenerator<string> {
  if (points === 0) return
  const series = await pointStore.series(db, key)
  const nameOf = bySeries(series, one => one.name)
  const all = new Map(series.map(one => [one.id, 0]))
  for await (const rows of pointStore.inOrder(db, all, points))
    yield rows
      .map(row => line('metric', { session_id: id, ...metricOut(row, nameOf(row)) }))
      .join('')
}

/** `type` says what a line is, so that the type of a metric has another name here. */
function metricOut(row: PointRow, name: string): object {
  const { type: kind, ...rest } = pointOut(row, name)
  return { ...rest, ...(kind === undefined ? {} : { kind }) }
}
