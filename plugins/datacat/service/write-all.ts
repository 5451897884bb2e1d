import type { Knex } from '../../../core/index.ts'
import { SessionEnded } from '../contract.ts'
import { sessionStore, type SessionRow } from '../store/sessions.ts'
import { mergeStates, type Patches } from './merge-states.ts'
import { about } from './watched.ts'
import type { Outcome, WriteParts, Writes } from './writes.ts'

/** What is known of a flush: the locked sessions by id, and when it began. */
interface Flush {
  readonly sessions: Map<string, SessionRow>
  readonly now: number
}

/** Stores everything of some requests within one transaction; answers what became of each. */
export async function writeAll(
  trx: Knex.Transaction,
  parts: WriteParts,
  items: readonly Writes[]
): Promise<Outcome[]> {
  const now = Date.now()
  const ids = [...new Set(items.map(item => item.sessionId))]
  const flush: Flush = { sessions: new Map(await sessionStore.lock(trx, ids)), now }
  const outcomes = await claim(trx, flush, items)
  const fresh = items.flatMap((item, index) => {
    const session = flush.sessions.get(item.sessionId)
    return session && outcomes[index] === 'stored' ? [{ ...item, session }] : []
  })
  await mergeStates(trx, patchesOf(fresh, now), now)
  const appended = fresh.filter(item => item.points.length > 0 || item.events.length > 0)
  if (appended.length > 0) await parts.append(trx, appended, now)
  for (const item of fresh) await finish(trx, parts, flush, item)
  return outcomes
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

/** A request whose session is there and whose key is new. */
type FreshWrites = Writes & { readonly session: SessionRow }

function patchesOf(items: readonly FreshWrites[], now: number): Patches[] {
  const patched = items.filter(item => item.states.length > 0)
  return [...Map.groupBy(patched, item => item.session)].map(([session, writes]) => ({
    session: session.key,
    states: session.states,
    patches: writes.flatMap(({ states }) =>
      states.map(({ patch, at }) => ({ patch, at: at ?? now }))
    )
  }))
}
