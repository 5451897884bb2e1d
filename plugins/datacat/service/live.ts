import { errorText, type Knex, type Logger } from '../../../core/index.ts'
import { eventStore } from '../store/events.ts'
import { heartbeatStore } from '../store/heartbeats.ts'
import { listStore } from '../store/list.ts'
import { bySeries, pointStore } from '../store/points.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import { stateStore } from '../store/states.ts'
import { eventOut, pointOut, stateOut, summaryOf } from './wire-out.ts'

/** One server-sent event. */
export interface Told {
  readonly event: 'session' | 'event' | 'metric' | 'state' | 'skipped' | 'trouble'
  readonly data: object
}

const lookMs = 500
// A commit may show a moment after the time it carries.
const overlapMs = 5_000
const pingMs = 15_000
const maxItems = 500
const away: Told = {
  event: 'trouble',
  data: { message: 'the database does not answer; updates go on when it is back' }
}

const signatureOf = (session: SessionRow): string =>
  [
    session.key,
    session.updatedAt,
    session.endedAt,
    session.condition,
    session.events,
    session.points,
    session.states
  ].join(' ')

/** Told after a look which sessions changed, or that the database could not be asked. */
type Listener = (changed: readonly SessionRow[], isAway: boolean) => void

/** Tells listeners of this process which sessions changed in any process; looks only while somebody listens. */
export function createLive(db: Knex, log: Logger) {
  const listeners = new Set<Listener>()
  let seen = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined

  async function look(last: number): Promise<void> {
    const began = Date.now()
    let from = began
    try {
      const rows = await listStore.changed(db, last - overlapMs)
      const changed = rows.filter(row => seen.get(row.id) !== signatureOf(row))
      seen = new Map(rows.map(row => [row.id, signatureOf(row)]))
      for (const notify of listeners) notify(changed, false)
    } catch (error) {
      // What is written by others while it is away must not be missed.
      from = last
      log.debug({ error: errorText(error) }, 'live updates wait for the database')
      for (const notify of listeners) notify([], true)
    }
    timer =
      listeners.size === 0
        ? undefined
        : setTimeout(() => {
            void look(from)
          }, lookMs)
  }

  function listen(listener: Listener): () => void {
    listeners.add(listener)
    timer ??= setTimeout(() => {
      void look(Date.now())
    }, lookMs)
    return () => {
      listeners.delete(listener)
    }
  }

  /**
   * Changes of all sessions, or of one with what is written to it, until `signal` aborts; null when
   * nothing happened for a while.
   */
  async function* feed(
    session: SessionRow | undefined,
    signal: AbortSignal
  ): AsyncGenerator<Told | null> {
    const waiting = createWaiting(signal)
    const stop = listen((changed, isAway) =>
      waiting.add(
        changed.filter(row => session === undefined || row.id === session.id),
        isAway
      )
    )
    let at = session
    try {
      if (session) {
        yield told(session, (await heartbeatStore.find(db, session.key))?.lastAt ?? null)
        // It may have changed before anybody listened.
        const now = await sessionStore.find(db, session.id)
        if (now && signatureOf(now) !== signatureOf(session)) waiting.add([now], false)
      }
      while (!signal.aborted) {
        const { rows, isAway } = await waiting.take()
        if (isAway) yield away
        else if (rows.length === 0) yield null
        else
          try {
            for (const one of await tell(db, rows, at)) yield one
            if (at) at = rows.at(-1) ?? at
          } catch (error) {
            log.debug({ error: errorText(error) }, 'live updates wait for the database')
            waiting.add(rows, true)
          }
      }
    } finally {
      stop()
    }
  }

  return { feed, find: (id: string): Promise<SessionRow | undefined> => sessionStore.find(db, id) }
}

/** The latest of each session that changed since it was last asked, and whether the database went away since. */
function createWaiting(signal: AbortSignal) {
  const sessions = new Map<string, SessionRow>()
  let wasAway = false
  let isNews = false
  let wake = (): void => {}
  signal.addEventListener('abort', () => wake(), { once: true })
  return {
    add(changed: readonly SessionRow[], isAway: boolean): void {
      for (const row of changed) if (!sessions.has(row.id) || !isAway) sessions.set(row.id, row)
      if (isAway && !wasAway) isNews = true
      wasAway = isAway
      if (isNews || (sessions.size > 0 && !isAway)) wake()
    },
    /** Waits for a change, for the end, or at most for the time of a ping. */
    async take(): Promise<{ rows: SessionRow[]; isAway: boolean }> {
      if (!signal.aborted && !isNews && (sessions.size === 0 || wasAway))
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, pingMs).unref()
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      const isAway = isNews
      isNews = false
      if (isAway || wasAway) return { rows: [], isAway }
      const rows = [...sessions.values()]
      sessions.clear()
      return { rows, isAway }
    }
  }
}

const told = (row: SessionRow, beat: number | null): Told => ({
  event: 'session',
  data: summaryOf(row, beat)
})

/**
 * What is said of sessions that changed: of all, themselves; of the one that is followed (`at`, as
 * last told), also what was written to it.
 */
async function tell(
  db: Knex,
  rows: readonly SessionRow[],
  at: SessionRow | undefined
): Promise<Told[]> {
  const beats = await heartbeatStore.lastBeats(
    db,
    rows.map(row => row.key)
  )
  const summaries = rows.map(row => told(row, beats.get(row.key) ?? null))
  const row = rows.at(-1)
  return at && row
    ? [
        ...summaries,
        ...(await since(
          db,
          row.key === at.key ? at : { ...at, events: 0, points: 0, states: 0 },
          row
        ))
      ]
    : summaries
}

/** What was written to a session between two looks; more than `maxItems` of a kind are counted, not told. */
async function since(db: Knex, before: SessionRow, now: SessionRow): Promise<Told[]> {
  const first = (was: number, is: number): number => Math.max(was, is - maxItems)
  const [events, metrics, states] = [
    first(before.events, now.events),
    first(before.points, now.points),
    first(before.states, now.states)
  ]
  const skipped = {
    events: events - before.events,
    metrics: metrics - before.points,
    states: states - before.states
  }
  const items: Told[] =
    skipped.events + skipped.metrics + skipped.states > 0
      ? [{ event: 'skipped', data: skipped }]
      : []
  for (const row of await eventStore.page(db, now.key, {
    from: events,
    until: now.events,
    limit: maxItems
  }))
    items.push({ event: 'event', data: eventOut(row) })
  if (now.states > states)
    for (const row of await stateStore.history(db, now.key, {
      after: states,
      limit: now.states - states
    }))
      items.push({ event: 'state', data: stateOut(row) })
  if (now.points === metrics) return items
  const series = await pointStore.series(db, now.key)
  const nameOf = bySeries(series, one => one.name)
  for (const row of await pointStore.between(db, series, metrics, now.points, maxItems))
    items.push({ event: 'metric', data: pointOut(row, nameOf(row)) })
  return items
}
