import { errorText, type Knex, type Logger } from '../../../core/index.ts'
import { eventStore } from '../store/events.ts'
import { heartbeatStore } from '../store/heartbeats.ts'
import { listStore } from '../store/list.ts'
import { pointStore } from '../store/points.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import { stateStore } from '../store/states.ts'
import { eventOut, pointOut, stateOut, summaryOf } from './wire-out.ts'

/** One server-sent event. */
export interface Told { readonly event: 'session' | 'event' | 'metric' | 'state' | 'skipped' | 'trouble'; readonly data: object }

const lookMs = 500
// A commit may show a moment after the time it carries.
const overlapMs = 5_000
const pingMs = 15_000
const mostItems = 500

const signatureOf = (session: SessionRow): string => [session.updatedAt, session.endedAt, session.condition, session.events, session.points, session.states].join(' ')

/** Tells listeners of this process which sessions changed in any process; looks only while somebody listens. */
export function createLive(db: Knex, log: Logger) {
  const listeners = new Set<(changed: readonly SessionRow[], trouble?: string) => void>()
  let seen = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined

  async function look(since: number): Promise<void> {
    const began = Date.now()
    try {
      const rows = await listStore.changed(db, since - overlapMs)
      const changed = rows.filter(row => seen.get(row.id) !== signatureOf(row))
      seen = new Map(rows.map(row => [row.id, signatureOf(row)]))
      if (changed.length > 0) for (const listen of listeners) listen(changed)
    } catch (error) {
      log.debug({ error: errorText(error) }, 'live updates wait for the database')
      for (const listen of listeners) listen([], 'the database does not answer; updates go on when it is back')
    }
    timer = listeners.size === 0 ? undefined : setTimeout(() => { void look(began) }, lookMs)
  }

  function listen(listener: (changed: readonly SessionRow[], trouble?: string) => void): () => void {
    listeners.add(listener)
    timer ??= setTimeout(() => { void look(Date.now()) }, lookMs)
    return () => { listeners.delete(listener) }
  }

  /** Changes of all sessions, or of one with what is written to it, until `signal` aborts; null when nothing happened for a while. */
  async function* feed(session: SessionRow | undefined, signal: AbortSignal): AsyncGenerator<Told | null> {
    const waiting = new Map<string, SessionRow>()
    let trouble: string | undefined
    let wake = (): void => {}
    const stop = listen((changed, problem) => {
      for (const row of changed) if (session === undefined || row.id === session.id) waiting.set(row.id, row)
      trouble = problem
      if (waiting.size > 0 || problem !== undefined) wake()
    })
    signal.addEventListener('abort', () => wake())
    let at = session
    try {
      if (session) yield told(session, (await heartbeatStore.find(db, session.key))?.lastAt ?? null)
      while (!signal.aborted) {
        if (waiting.size === 0 && trouble === undefined) await new Promise<void>(resolve => { wake = resolve; setTimeout(resolve, pingMs).unref() })
        const rows = [...waiting.values()]
        waiting.clear()
        if (trouble !== undefined) yield { event: 'trouble', data: { message: trouble } }
        else if (rows.length === 0) yield null
        trouble = undefined
        const beats = await heartbeatStore.lastBeats(db, rows.map(row => row.key))
        for (const row of rows) {
          yield told(row, beats.get(row.key) ?? null)
          if (at) yield* since(db, at, row)
          if (at) at = row
        }
      }
    } finally { stop() }
  }

  return { feed, find: (id: string): Promise<SessionRow | undefined> => sessionStore.find(db, id) }
}

const told = (row: SessionRow, beat: number | null): Told => ({ event: 'session', data: summaryOf(row, beat) })

/** What was written to a session between two looks; more than `mostItems` of a kind are counted, not told. */
async function* since(db: Knex, before: SessionRow, now: SessionRow): AsyncGenerator<Told> {
  const first = (was: number, is: number): number => Math.max(was, is - mostItems)
  const skipped = { events: first(before.events, now.events) - before.events, metrics: first(before.points, now.points) - before.points, states: first(before.states, now.states) - before.states }
  if (skipped.events + skipped.metrics + skipped.states > 0) yield { event: 'skipped', data: skipped }
  for (const row of await eventStore.page(db, now.key, { from: first(before.events, now.events), until: now.events, limit: mostItems })) yield { event: 'event', data: eventOut(row) }
  for (const row of await stateStore.history(db, now.key, { after: first(before.states, now.states), limit: now.states - first(before.states, now.states) })) yield { event: 'state', data: stateOut(row) }
  if (now.points === before.points) return
  const series = await pointStore.series(db, now.key)
  const rows = await pointStore.latest(db, series, first(before.points, now.points), now.points)
  const names = new Map(series.map(one => [one.id, one.name]))
  for (const row of rows) yield { event: 'metric', data: pointOut(row, names.get(row.series) ?? '') }
}
