import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatacatClient } from 'rayne/datacat'
import type { Job, Row, Told } from './table.ts'

/** Writes twenty events through each row's address and says how that went. */
const job = JSON.parse(await text(process.stdin)) as Job

async function run(row: Row): Promise<void> {
  const client = createDatacatClient({
    url: row.url,
    timeoutMs: 1_000,
    retries: 0,
    flushMs: 100,
    ...(job.place === 'disk' ? { offlineDir: path.join(job.folder, String(row.id)) } : {}),
    onError: () => {}
  })
  const session = client.openSession(row.session)
  let longest = 0
  for (let number = 0; number < job.items; number++) {
    const started = performance.now()
    const written = session.logEvent(`n${number}`)
    longest = Math.max(longest, performance.now() - started)
    await written
    await sleep(20)
  }
  const until = Date.now() + job.seconds * 1_000
  const waiting = (): number => client.stats().queued + client.stats().stored
  do {
    await client.flush({ signal: AbortSignal.timeout(2_000) }).catch(() => {})
    if (waiting() > 0) await sleep(100)
  } while (waiting() > 0 && Date.now() < until)
  await client.close({ signal: AbortSignal.timeout(500) }).catch(() => {})
  const { dropped, rejected, stored } = client.stats()
  const told: Told = {
    id: row.id,
    longest_ms: longest,
    flushed: waiting() === 0,
    stored,
    lost: dropped + rejected
  }
  console.log(JSON.stringify(told))
}

await Promise.all(job.rows.map(run))
process.exit(0)
