import { createGroupCommit, errorCode, type Knex } from '../../../core/index.ts'
import { SessionEnded } from '../contract.ts'
import {
  seriesMoved,
  type Append,
  type AppendStore,
  type NewEvent,
  type NewPoint
} from '../store/append.ts'
import { heartbeatStore } from '../store/heartbeats.ts'
import { ensurePartitions } from '../store/partitions.ts'
import { sessionStore, type NewSession, type SessionRow } from '../store/sessions.ts'
import type { JsonObject } from '../wire/json.ts'
import { mergeStates, type Patches } from './merge-states.ts'
import { about, type Beat, type Emit, type Watch } from './watch.ts'

/** One request's writes to one session, checked and ready to be stored; times are epoch milliseconds. */
export interface Writes {
  readonly sessionId: string
  readonly key: string | null
  readonly states: readonly { readonly patch: JsonObject; readonly at: number | null }[]
  readonly points: readonly NewPoint[]
  readonly events: readonly NewEvent[]
  readonly beat: Beat | null
  readonly end: boolean
  /** Of the request, for the bound of what may wait. */
  readonly bytes: number
}
/** `unknown` = there is no such session and nothing was written. */
export type Outcome = 'stored' | 'duplicate' | 'unknown'
export interface Opening extends NewSession {
  readonly state: JsonObject | null
  readonly beat: Beat | null
}

// Numbers take more room as objects than as text.
const sizeOf = ({
  bytes,
  points
}: {
  readonly bytes: number
  readonly points: readonly unknown[]
}): number => 200 + bytes + 60 * points.length
// A flush holds few large requests or many small ones.
const limits = { limitBytes: 64_000_000, batch: 250 } as const
const noPartition = '23514'

/** Writes of all sessions, gathered into few transactions; whoever waits is answered after the commit. */
export function createWriter({
  db,
  emit,
  store,
  watch
}: {
  db: Knex
  emit: Emit
  store: AppendStore
  watch: Watch
}) {
  const appends = createGroupCommit<Append & { readonly bytes: number }, Outcome>(
    items =>
      withAnotherTry(async () => {
        const known = await store.append(db, items, Date.now())
        return items.map(item => (known.has(item.sessionId) ? 'stored' : 'unknown'))
      }),
    { ...limits, parallel: 1, size: sizeOf }
  )
  const writes = createGroupCommit<Writes, Outcome>(
    items => withAnotherTry(() => db.transaction(trx => writeAll(trx, items))),
    { ...limits, size: sizeOf }
  )
  const opens = createGroupCommit<Opening, boolean>(openAll, { batch: 250 })
  const beats = createGroupCommit<string, boolean>(
    async ids => {
      const found = await heartbeatStore.beat(db, [...new Set(ids)], Date.now())
      return ids.map(id => found.has(id))
    },
    { batch: 1_000 }
  )

  // A flush may miss its partition first and a number of a series then, whose transaction was rolled back.
  async function withAnotherTry<T>(work: () => Promise<T>, tries = 2): Promise<T> {
    return work().catch(async (error: unknown) => {
      const code = errorCode(error)
      if (tries === 0 || (code !== noPartition && code !== seriesMoved)) throw error
      if (code === noPartition) await ensurePartitions(db, Date.now())
      return withAnotherTry(work, tries - 1)
    })
  }

  async function openAll(items: readonly Opening[]): Promise<readonly boolean[]> {
    const now = Date.now()
    const first = new Map(items.map(item => [item.id, item]).reverse() as [string, Opening][])
    const asked = [...first.values()]
    const isPlain = asked.every(
      item => item.state === null && item.beat === null && item.machineId === null
    )
    const insert = (on: Knex): Promise<ReadonlyMap<string, number>> =>
      sessionStore.insert(on, asked, now)
    const made = isPlain
      ? await insert(db)
      : await withAnotherTry(() =>
          db.transaction(async trx => {
            const keys = await insert(trx)
            const fresh = asked.filter(item => keys.has(item.id))
            await writeAll(
              trx,
              fresh
                .filter(item => item.state !== null || item.beat !== null)
                .map(item => ({
                  sessionId: item.id,
                  key: null,
                  states: item.state === null ? [] : [{ patch: item.state, at: item.createdAt }],
                  points: [],
                  events: [],
                  beat: item.beat,
                  end: false,
                  bytes: 0
                }))
            )
            await watch.crashSuspended(trx, fresh, now)
            return keys
          })
        )
    return items.map(item => made.has(item.id) && first.get(item.id) === item)
  }

  async function writeAll(trx: Knex.Transaction, items: readonly Writes[]): Promise<Outcome[]> {
    const now = Date.now()
    const sessions = new Map(
      await sessionStore.lock(trx, [...new Set(items.map(item => item.sessionId))])
    )
    const outcomes = await claim(trx, items, sessions, now)
    const fresh = items.filter((_, index) => outcomes[index] === 'stored')
    const patches = patchesOf(fresh, sessions, now)
    if (patches.length > 0) await mergeStates(trx, patches, now)
    const appended = fresh.filter(item => item.points.length > 0 || item.events.length > 0)
    if (appended.length > 0) await store.append(trx, appended, now)
    for (const item of fresh) {
      const session = sessions.get(item.sessionId)!
      if (item.beat)
        sessions.set(session.id, {
          ...session,
          condition: await watch.beat(trx, session, item.beat, now)
        })
      if (!item.end) continue
      sessions.set(session.id, { ...session, active: false })
      await sessionStore.end(trx, session.key, now)
      await emit(trx, SessionEnded, about(session, now))
    }
    return outcomes
  }

  return {
    /** True when the session is new, false when its id was there already. */
    open: (session: Opening): Promise<boolean> => opens.add(session),
    /** Stores all of it or nothing, after everything that was acknowledged before. */
    async write(item: Writes): Promise<Outcome> {
      const onlyAppends =
        item.key === null && item.states.length === 0 && item.beat === null && !item.end
      if (onlyAppends) return appends.add(item)
      const onlyBeats =
        item.beat !== null &&
        Object.values(item.beat).every(value => value === undefined) &&
        item.key === null &&
        !item.end &&
        item.states.length + item.points.length + item.events.length === 0
      if (onlyBeats && (await beats.add(item.sessionId))) return 'stored'
      return writes.add(item)
    }
  }
}

/** What becomes of each request: unknown session, a key that was stored before (or earlier in this flush), or new. */
async function claim(
  trx: Knex.Transaction,
  items: readonly Writes[],
  sessions: ReadonlyMap<string, SessionRow>,
  now: number
): Promise<Outcome[]> {
  const keyOf = (item: Writes): string => `${sessions.get(item.sessionId)?.key} ${item.key}`
  const first = new Map<string, Writes>()
  for (const item of items)
    if (item.key !== null && sessions.has(item.sessionId) && !first.has(keyOf(item)))
      first.set(keyOf(item), item)
  const claims = [...first.values()].map(item => ({
    session: sessions.get(item.sessionId)!.key,
    key: item.key!,
    accepted: item.points.length + item.events.length + item.states.length
  }))
  const claimed =
    claims.length === 0 ? new Set<string>() : await sessionStore.claimBatches(trx, claims, now)
  return items.map(item => {
    if (!sessions.has(item.sessionId)) return 'unknown'
    if (item.key === null) return 'stored'
    return claimed.has(keyOf(item)) && first.get(keyOf(item)) === item ? 'stored' : 'duplicate'
  })
}

function patchesOf(
  items: readonly Writes[],
  sessions: ReadonlyMap<string, SessionRow>,
  now: number
): Patches[] {
  const bySession = new Map<string, { patch: JsonObject; at: number }[]>()
  for (const { sessionId, states } of items) {
    if (states.length === 0) continue
    const patches = bySession.get(sessionId) ?? []
    patches.push(...states.map(({ patch, at }) => ({ patch, at: at ?? now })))
    bySession.set(sessionId, patches)
  }
  return [...bySession].map(([id, patches]) => ({
    session: sessions.get(id)!.key,
    states: sessions.get(id)!.states,
    patches
  }))
}
