import assert from 'node:assert/strict'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { createTestApp } from '../../../core/testing.ts'
import datacat from '../plugin.ts'
import type { OldSessionAnswer } from './answers.ts'

const api = '/v1/datacat/sessions'

test('a batch of small updates of a large state does not stop the others', async t => {
  const app = await createTestApp(t, { plugins: [datacat] })
  const large = Object.fromEntries(
    Array.from({ length: 9_000 }, (_, n) => [`k${n}`, 'x'.repeat(100)])
  )
  const opened = await app.call('POST', api, { state: large })
  const id = String(opened.body['session_id'])
  const states = Array.from({ length: 1_000 }, (_, n) => ({ state: { [`k${n}`]: n } }))
  const zipped = gzipSync(JSON.stringify({ states }))
  const headers = { 'content-encoding': 'gzip' }
  const before = process.cpuUsage()
  assert.equal((await app.call('POST', `${api}/${id}/batch`, zipped, headers)).status, 200)
  const { user, system } = process.cpuUsage(before)
  const tookMs = (user + system) / 1_000
  // Copying the state for every update took seconds.
  assert.ok(tookMs < 1_000, `it took ${Math.round(tookMs)} ms of the processor`)
  const { body }: { body: unknown } = await app.call('GET', `/api/sessions/${id}`)
  assert.equal((body as OldSessionAnswer).state['k999'], 999)
})
