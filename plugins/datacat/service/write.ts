import { randomUUID } from 'node:crypto'
import { createGroupCommit, errorCode, type Knex } from '../../../core/index.ts'
import { seriesMoved } from '../store/append.ts'
import type { Append } from '../store/append-rows.ts'
import { heartbeatStore } from '../store/heartbeats.ts'
import { ensurePartitions } from '../store/partitions.ts'
import type { WireOpening } from '../wire/opening.ts'
import { tooManySeries } from '../wire/metric.ts'
import { checkPatches, readPatch, stateTooLarge } from '../wire/patches.ts'
import { openAll } from './open.ts'
import { writeAll } from './write-all.ts'
import type { Opening, Outcome, Stored, WriteParts, Writes } from './writes.ts'

// A flush holds few large requests or many small ones.
const limits = { limitBytes: 64_000_000, batch: 250 } as const
// Numbers take more room as objects than as text.
const bytesOf = (item: { readonly bytes: number; readonly points: readonly unknown[] }): number =>
  200 + item.bytes + 60 * item.points.length
const noPartition = '23514'

/** Writes of all sessions, gathered into few transactions; whoever waits is answered after the commit. */
export function createWriter(parts: WriteParts) {
  const { db } = parts
  const queues: Queues = {
    appends: createGroupCommit<Append & { readonly bytes: number }, Outcome>(
      items => withAnotherTry(db, () => appendAll(parts, items)),
      { ...limits, parallel: 1, size: bytesOf }
    ),
    writes: createGroupCommit<Writes, Outcome>(
      items => withAnotherTry(db, () => writeTogether(parts, items)),
      { ...limits, size: bytesOf }
    ),
    beats: createGroupCommit<string, boolean>(ids => beatAll(db, ids), { batch: 1_000 })
  }
  const opens = createGroupCommit<Opening, boolean>(
    items => withAnotherTry(db, () => openAll(parts, items)),
    { batch: limits.batch }
  )
  return {
    /** Opens a session, or finds the one that has its id already. */
    async open(session: WireOpening = {}): Promise<{ id: string; created: boolean }> {
      const opening = openingOf(session)
      return { id: opening.id, created: await opens.add(opening) }
    },
    /**
     * Stores all of it or nothing, after everything that was acknowledged before; 400 when a state
     * would become too large.
     */
    async store(writes: Partial<Writes> & Pick<Writes, 'sessionId'>): Promise<Stored> {
      const outcome = await add(queues, { ...nothing, ...writes })
      if (outcome === 'too-large') throw stateTooLarge('/body')
      if (outcome === 'too-many-series') throw tooManySeries('/body')
      return outcome
    }
  }
}
export type Writer = ReturnType<typeof createWriter>

interface Queues {
  readonly appends: { add(item: Append & { readonly bytes: number }): Promise<Outcome> }
  readonly writes: { add(item: Writes): Promise<Outcome> }
  readonly beats: { add(sessionId: string): Promise<boolean> }
}
const nothing = {
  key: null,
  states: [],
  points: [],
  events: [],
  beat: null,
  end: false,
  bytes: 0
} as const

/** What only appends, and beats of sessions that are well, have shorter ways. */
async function add({ appends, beats, writes }: Queues, item: Writes): Promise<Outcome> {
  const isSimple = item.key === null && item.states.length === 0 && !item.end
  if (isSimple && item.beat === null) return appends.add(item)
  const isPlainBeat =
    isSimple &&
    item.points.length + item.events.length === 0 &&
    Object.values(item.beat ?? {}).every(value => value === undefined)
  if (isPlainBeat && (await beats.add(item.sessionId))) return 'stored'
  return writes.add(item)
}

async function writeTogether(parts: WriteParts, items: readonly Writes[]): Promise<Outcome[]> {
  const { outcomes, states } = await parts.db.transaction(trx => writeAll(trx, parts, items))
  parts.trees.keep(states)
  return outcomes
}

async function appendAll({ db, append }: WriteParts, items: readonly Append[]): Promise<Outcome[]> {
  const now = Date.now()
  const { ids, refused } = await append.number(db, items, now)
  const taken = items.filter(item => !refused.has(item))
  const known = await append.write(db, taken, ids, now)
  return items.map(item => {
    if (refused.has(item)) return 'too-many-series'
    return known.has(item.sessionId) ? 'stored' : 'unknown'
  })
}

async function beatAll(db: Knex, ids: readonly string[]): Promise<boolean[]> {
  const found = await heartbeatStore.beat(db, [...new Set(ids)], Date.now())
  return ids.map(id => found.has(id))
}

/** A flush may miss its partition first and a number of a series then, whose transaction was rolled back. */
async function withAnotherTry<T>(db: Knex, work: () => Promise<T>, tries = 2): Promise<T> {
  return work().catch(async (error: unknown) => {
    const code = errorCode(error)
    if (tries === 0 || (code !== noPartition && code !== seriesMoved)) throw error
    if (code === noPartition) await ensurePartitions(db, Date.now())
    return withAnotherTry(db, work, tries - 1)
  })
}

function openingOf({ id = randomUUID(), state, heartbeat, ...session }: WireOpening): Opening {
  const patch = state && readPatch(state, '/state')
  if (patch) checkPatches([patch], '/state')
  return {
    id: id.toLowerCase(),
    createdAt: session.startedAt ?? Date.now(),
    said: session.saidStartedAt ?? null,
    product: session.product ?? null,
    version: session.version ?? null,
    machineId: session.machineId ?? null,
    hostname: session.hostname ?? null,
    state: patch ?? null,
    beat: heartbeat ?? null
  }
}
