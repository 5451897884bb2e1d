import type { Knex } from '../../../core/index.ts'
import { eventStore } from '../store/events.ts'
import type { SessionFilter } from '../store/filters.ts'
import { heartbeatStore } from '../store/heartbeats.ts'
import { listStore } from '../store/list.ts'
import { pointStore, type PointRow } from '../store/points.ts'
import type { SessionRow } from '../store/sessions.ts'
import { stateStore } from '../store/states.ts'
import { readLimit, readTime } from '../wire/time.ts'
import { stream } from './render-session.ts'
import { eventOut, pointOut, stateOut, summaryOf } from './wire-out.ts'

const pageSize = 200

/** Exports read in pages and hold no transaction, so that a slow reader costs nobody anything. */
export function createExporter(db: Knex) {
  async function* sessions(filter: SessionFilter, limit: number): AsyncGenerator<SessionRow[]> {
    for (let [left, key] = [limit, 0]; left > 0;) {
      const page = await listStore.after(db, filter, key, Math.min(left, pageSize))
      const last = page.at(-1)
      if (!last) return
      yield page
      left -= page.length
      key = last.key
    }
  }

  /** All sessions as one JSON array of the first version's objects; throws a 400 before it begins. */
  function array({
    since,
    limit
  }: {
    since?: string | undefined
    limit?: string | undefined
  }): AsyncGenerator<string> {
    return elements(
      {
        states: [],
        ...(since === undefined ? {} : { updatedSince: readTime(since, '/query/since') })
      },
      readLimit(limit, '/query/limit')
    )
  }

  async function* elements(filter: SessionFilter, limit: number): AsyncGenerator<string> {
    let text = '['
    let comma = ''
    for await (const page of sessions(filter, limit)) {
      const states = await stateStore.current(
        db,
        page.map(one => one.key)
      )
      for (const session of page) {
        text += comma
        comma = ','
        for await (const part of stream(db, session, states.get(session.key) ?? '{}')) {
          text += part
          if (text.length > 65_536) {
            yield text
            text = ''
          }
        }
      }
    }
    yield `${text}]\n`
  }

  /** One JSON record a line: each session, then its states, events and metrics. */
  async function* lines(filter: SessionFilter): AsyncGenerator<string> {
    for await (const page of sessions(filter, Number.MAX_SAFE_INTEGER))
      for (const session of page) yield* sessionLines(session)
  }

  async function* sessionLines(session: SessionRow): AsyncGenerator<string> {
    const [state, beat] = [
      (await stateStore.current(db, [session.key])).get(session.key),
      (await heartbeatStore.find(db, session.key))?.lastAt ?? null
    ]
    yield line('session', {
      ...summaryOf(session, beat),
      state: JSON.parse(state ?? '{}') as unknown
    })
    const of = { session_id: session.id }
    for (let after = 0; after < session.states;) {
      const rows = await stateStore.history(db, session.key, { after, limit: 500 })
      if (rows.length === 0) break
      yield rows.map(row => line('state', { ...of, ...stateOut(row) })).join('')
      after = rows.at(-1)!.n
    }
    for await (const rows of eventStore.all(db, session.key, 0, session.events))
      yield rows.map(row => line('event', { ...of, ...eventOut(row) })).join('')
    if (session.points === 0) return
    const series = await pointStore.series(db, session.key)
    const names = new Map(series.map(one => [one.id, one.name]))
    for await (const rows of pointStore.inOrder(
      db,
      new Map(series.map(one => [one.id, 0])),
      session.points
    ))
      yield rows
        .map(row => line('metric', { ...of, ...metricOut(row, names.get(row.series) ?? '') }))
        .join('')
  }

  return { array, lines }
}

/** `type` says what a line is, so that the type of a metric has another name here. */
function metricOut(row: PointRow, name: string): object {
  const { type: kind, ...rest } = pointOut(row, name) as ReturnType<typeof pointOut> & {
    readonly type?: string
  }
  return { ...rest, ...(kind === undefined ? {} : { kind }) }
}

const line = (type: string, record: object): string => `${JSON.stringify({ type, ...record })}\n`
