import type { Knex } from '../../../core/index.ts'
import { SessionEnded } from '../contract.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import { createMerging } from './merge-states.ts'
import type { LiveState } from './state-trees.ts'
import { about } from './watched.ts'
import type { Outcome, WriteParts, Writes } from './writes.ts'

/** What is known of a flush: the locked sessions by id, and when it began. */
interface Flush {
  readonly sessions: Map<string, SessionRow>
  readonly now: number
}

/** What became of each request of a flush, and the states to keep once it is committed. */
interface Written {
  readonly outcomes: Outcome[]
  readonly states: ReadonlyMap<number, LiveState>
}

/** Stores everything of some requests within one transaction. */
export async function writeAll(
  trx: Knex.Transaction,
  parts: WriteParts,
  items: readonly Writes[]
): Promise<Written> {
  const now = Date.now()
  const asked = [...new Set(items.map(item => item.sessionId))]
  const flush: Flush = { sessions: new Map(await sessionStore.lock(trx, asked)), now }
  const outcomes = await claim(trx, flush, items)
  const claimed = items.flatMap((item, index) => {
    const session = flush.sessions.get(item.sessionId)
    return session && outcomes[index] === 'stored' ? [{ ...item, session, index }] : []
  })
  const { ids, refused } = await parts.append.number(trx, claimed, now)
  const numbered = claimed.filter(item => !refused.has(item))
  const { states, tooLarge } = await mergeAll(trx, parts, numbered, now)
  const fresh = numbered.filter(item => !tooLarge.has(item))
  for (const item of claimed) {
    if (refused.has(item)) outcomes[item.index] = 'too-many-series'
    if (tooLarge.has(item)) outcomes[item.index] = 'too-large'
  }
  await unclaim(
    trx,
    claimed.filter(item => outcomes[item.index] !== 'stored')
  )
  const appended = fresh.filter(item => item.points.length > 0 || item.events.length > 0)
  if (appended.length > 0) await parts.append.write(trx, appended, ids, now)
  for (const item of fresh) await finish(trx, parts, flush, item)
  return { outcomes, states }
}

/** Merges the updates of each request; those that would make a state too large are left out whole. */
async function mergeAll(
  trx: Knex.Transaction,
  { trees }: WriteParts,
  items: readonly FreshWrites[],
  now: number
): Promise<{ states: ReadonlyMap<number, LiveState>; tooLarge: ReadonlySet<FreshWrites> }> {
  const patched = items.filter(item => item.states.length > 0)
  const wanted = new Map(
    patched.map(({ session: { key, states } }) => [key, { session: key, states }])
  )
  const states = await trees.take(trx, [...wanted.values()])
  const merging = createMerging()
  const tooLarge = new Set<FreshWrites>()
  for (const item of patched) {
    const state = states.get(item.session.key)
    if (!state) throw new Error(`the state of session ${item.session.key} was not read`)
    const patches = item.states.map(({ at, ...patch }) => ({ ...patch, at: at ?? now }))
    if (!merging.add(item.session.key, state, patches)) tooLarge.add(item)
  }
  await merging.save(trx, now)
  return { states, tooLarge }
}

/** The keys of requests that were not stored after all are free again. */
async function unclaim(trx: Knex.Transaction, refused: readonly FreshWrites[]): Promise<void> {
  const keys = refused.flatMap(({ session, key }) =>
    key === null ? [] : [{ session: session.key, key }]
  )
  await sessionStore.unclaimBatches(trx, keys)
}

/** The beat and the end of one request; each sees what those before it in the flush left. */
async function finish(
  trx: Knex.Transaction,
  { watch, emit }: WriteParts,
  { sessions, now }: Flush,
  { sessionId, beat, end, session: locked }: FreshWrites
): Promise<void> {
  const session = sessions.get(sessionId) ?? locked
  const after = beat
    ? { ...session, condition: await watch.beat(trx, session, beat, now) }
    : session
  sessions.set(sessionId, end ? { ...after, active: false } : after)
  if (!end) return
  await sessionStore.end(trx, session.key, now)
  await emit(trx, SessionEnded, about(session, now))
}

/**
 * What becomes of each request: unknown session, a key that was stored before (or earlier in this
 * flush), or new.
 */
async function claim(
  trx: Knex.Transaction,
  { sessions, now }: Flush,
  items: readonly Writes[]
): Promise<Outcome[]> {
  const first = new Map<string, { item: Writes; session: number; key: string }>()
  for (const item of items) {
    const session = sessions.get(item.sessionId)
    if (!session || item.key === null) continue
    const name = `${session.key} ${item.key}`
    if (!first.has(name)) first.set(name, { item, session: session.key, key: item.key })
  }
  const claims = [...first.values()].map(({ item, session, key }) => ({
    session,
    key,
    accepted: item.points.length + item.events.length + item.states.length
  }))
  const claimed =
    claims.length === 0 ? new Set<string>() : await sessionStore.claimBatches(trx, claims, now)
  return items.map(item => {
    const session = sessions.get(item.sessionId)
    if (!session) return 'unknown'
    if (item.key === null) return 'stored'
    const name = `${session.key} ${item.key}`
    return claimed.has(name) && first.get(name)?.item === item ? 'stored' : 'duplicate'
  })
}

/** A request whose session is there and whose key is new, and its place in the flush. */
type FreshWrites = Writes & { readonly session: SessionRow; readonly index: number }
