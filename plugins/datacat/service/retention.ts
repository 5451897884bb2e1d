import type { JobHandle, Knex, Logger } from '../../../core/index.ts'
import { dropPartitions, ensurePartitions } from '../store/partitions.ts'
import { purgeStore } from '../store/purge.ts'

const dayMs = 86_400_000
// A client that retries for longer than this has lost its queue.
const keysKeptMs = 30 * dayMs

/** Deletes the rows of a session that is out of sight already, a slice at a time. */
export async function purgeSession(
  db: Knex,
  sessionKey: number,
  signal: AbortSignal
): Promise<void> {
  for (const table of purgeStore.tables) {
    while ((await purgeStore.slice(db, table, sessionKey)) > 0) signal.throwIfAborted()
  }
}

/**
 * Deletes sessions nobody has written to for `days`, and points and events older than that; 0 keeps
 * everything.
 */
export async function keepTo(
  db: Knex,
  days: number,
  purge: JobHandle<{ sessionKey: number }>,
  log: Logger,
  now = Date.now()
): Promise<{ sessions: number; partitions: string[] }> {
  await ensurePartitions(db, now)
  await purgeStore.oldKeys(db, now - keysKeptMs)
  if (days === 0) return { sessions: 0, partitions: [] }
  const before = now - days * dayMs
  let sessions = 0
  for (let removed = -1; removed !== 0; sessions += removed) {
    removed = await db.transaction(async trx => {
      const keys = await purgeStore.removeIdle(trx, before, 500)
      for (const sessionKey of keys)
        await purge.enqueue({ sessionKey }, { trx, key: `session-${sessionKey}` })
      return keys.length
    })
  }
  const partitions = await dropPartitions(db, before)
  if (sessions > 0 || partitions.length > 0)
    log.info({ sessions, partitions, days }, 'retention: old data was deleted')
  return { sessions, partitions }
}
