import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { connectionOf } from '../process/product.ts'

const tries = 25
const betweenMs = 20
const cut = `
  select pg_terminate_backend(pid)
  from pg_stat_activity
  where application_name = 'rayne' and state in ('active', 'idle in transaction')`

/**
 * Ends the server's own connections to its database in the middle of what they do, while the server
 * lives on; answers how many were hit.
 */
export async function cutConnections(home: string): Promise<number> {
  const client = new pg.Client({ ...connectionOf(home), application_name: 'bench-cut' })
  client.on('error', () => {})
  await client.connect()
  let hit = 0
  try {
    for (let n = 0; n < tries; n++) {
      const { rowCount } = await client.query(cut)
      hit += rowCount ?? 0
      await sleep(betweenMs)
    }
    return hit
  } finally {
    await client.end()
  }
}
