import type { Knex } from '../../../core/index.ts'
import { sessionStore } from '../store/sessions.ts'
import type { Opening, WriteParts, Writes } from './writes.ts'
import { writeAll } from './write-all.ts'

/** Opens sessions in one transaction; answers for each whether it is new. */
export async function openAll(
  parts: WriteParts,
  items: readonly Opening[]
): Promise<readonly boolean[]> {
  const now = Date.now()
  const first = new Map<string, Opening>()
  for (const item of items) if (!first.has(item.id)) first.set(item.id, item)
  const asked = [...first.values()]
  const made = asked.every(isPlain)
    ? await sessionStore.insert(parts.db, asked, now)
    : await parts.db.transaction(trx => openWith(trx, parts, asked, now))
  return items.map(item => made.has(item.id) && first.get(item.id) === item)
}

const isPlain = ({ state, beat, machineId }: Opening): boolean =>
  state === null && beat === null && machineId === null

async function openWith(
  trx: Knex.Transaction,
  parts: WriteParts,
  asked: readonly Opening[],
  now: number
): Promise<ReadonlyMap<string, number>> {
  const keys = await sessionStore.insert(trx, asked, now)
  const fresh = asked.filter(item => keys.has(item.id))
  const writes = fresh.filter(item => item.state !== null || item.beat !== null).map(writesOf)
  await writeAll(trx, parts, writes)
  await parts.watch.crashSuspended(trx, fresh, now)
  return keys
}

const writesOf = ({ id, state, beat, createdAt }: Opening): Writes => ({
  sessionId: id,
  key: null,
  states: state === null ? [] : [{ patch: state, at: createdAt, said: null }],
  points: [],
  events: [],
  beat,
  end: false,
  bytes: 0
})
