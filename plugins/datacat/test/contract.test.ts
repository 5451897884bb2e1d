import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { definePlugin, type RayneError } from '../../../core/index.ts'
import { createTestApp } from '../../../core/testing.ts'
import { DatacatToken, type Datacat } from '../contract.ts'
import datacat from '../plugin.ts'
import type { SessionAnswer } from './answers.ts'

test('another plugin records itself: it opens a session, writes and ends it, and all of it is committed', async t => {
  let sessions: Datacat | undefined
  const recorder = definePlugin({
    id: 'recorder',
    version: '1.0.0',
    needs: { sessions: DatacatToken },
    register(_app, services) {
      sessions = services.sessions
    }
  })
  const app = await createTestApp(t, { plugins: [datacat, recorder] })
  const { open, write, end } = sessions!
  const id = randomUUID()
  assert.deepEqual(
    [
      await open({
        id,
        product: 'rca',
        version: '1',
        state: { phase: 'start' },
        heartbeat: { hungAfterSeconds: 60 }
      }),
      await open({ id })
    ],
    [
      { id, created: true },
      { id, created: false }
    ]
  )
  const batch = {
    key: 'step-1',
    states: [{ state: { phase: 'evidence' } }],
    events: [{ name: 'asked', data: { slot: 'logs' }, level: 'info' }],
    metrics: [
      { name: 'took', value: 1.25, kind: 'timer' as const, unit: 's', tags: ['slot:logs'] }
    ],
    heartbeat: true
  }
  assert.deepEqual(
    [await write(id, batch), await write(id, batch)],
    [
      { accepted: 3, duplicate: false },
      { accepted: 0, duplicate: true }
    ]
  )
  await end(id)
  const session = (await app.call('GET', `/v1/datacat/sessions/${id}`)).body as SessionAnswer
  assert.deepEqual(
    [
      session.status,
      session.product,
      session.state,
      session.event_count,
      session.metrics.map(one => [one.name, one.type])
    ],
    ['ended', 'rca', { phase: 'evidence' }, 1, [['took', 'timer']]]
  )
  for (const unknown of [randomUUID(), 'no uuid'])
    await assert.rejects(write(unknown, { end: true }), (error: RayneError) => error.status === 404)
  let deep: Record<string, unknown> = {}
  for (let n = 0; n < 120; n++) deep = { deep }
  await assert.rejects(
    write(id, { states: [{ state: deep }] }),
    (error: RayneError) => error.status === 400
  )
})
