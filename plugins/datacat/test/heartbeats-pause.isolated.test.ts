import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import { eventually } from '../../../core/test/eventually.ts'
import datacat from '../plugin.ts'
import type { EventAnswer, SessionAnswer } from './answers.ts'

const api = '/v1/datacat/sessions'
type App = Awaited<ReturnType<typeof createTestApp>>

const open = async (app: App, hung: number, crashed: number): Promise<string> => {
  const heartbeat = { hung_after_seconds: hung, crashed_after_seconds: crashed }
  const { status, body } = await app.call('POST', api, { heartbeat })
  assert.equal(status, 201)
  return (body as { session_id: string }).session_id
}
const statusOf = async (app: App, id: string): Promise<string> =>
  ((await app.call('GET', `${api}/${id}`)).body as SessionAnswer).status
const eventsOf = async (app: App, id: string): Promise<string[]> =>
  ((await app.call('GET', `${api}/${id}/events`)).body as { events: EventAnswer[] }).events.map(
    event => event.name
  )
const pauses: readonly (readonly [string, (app: App) => Promise<void>])[] = [
  [
    'a server that slept',
    async () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7_000)
    }
  ],
  [
    'a server whose database was away',
    async app => {
      await app.db.raw('alter table datacat_heartbeats rename to datacat_away')
      await sleep(7_000)
      await app.db.raw('alter table datacat_away rename to datacat_heartbeats')
    }
  ]
]

for (const [what, pause] of pauses)
  test(`${what} gives every session its time before it judges`, async t => {
    const app = await createTestApp(t, { plugins: [datacat] })
    const [alive, dead] = [await open(app, 3, 6), await open(app, 3, 6)]
    await pause(app)
    const wokeAt = Date.now()
    // A connection that was kept open through the sleep is closed when it is used.
    await eventually('an answer', () =>
      fetch(`${app.url}/healthz`).then(
        answer => answer.ok,
        () => false
      )
    )
    while (Date.now() - wokeAt < 2_000) {
      assert.equal((await app.call('POST', `${api}/${alive}/heartbeat`, {})).status, 200)
      assert.deepEqual(
        [await statusOf(app, alive), await statusOf(app, dead)],
        ['active', 'active']
      )
      await sleep(200)
    }
    await eventually('the hang', async () => (await statusOf(app, dead)) === 'hung', 10_000)
    assert.ok(Date.now() - wokeAt >= 2_900, 'it was called hung before its time')
    await app.call('POST', `${api}/${alive}/heartbeat`, {})
    await eventually('the crash', async () => (await statusOf(app, dead)) === 'crashed', 10_000)
    assert.ok(Date.now() - wokeAt >= 5_900, 'it was called crashed before its time')
    assert.ok(!(await eventsOf(app, alive)).includes('session_crashed_detected'))
  })

test('what fell due before a start is hung at once, and has an interval before it has crashed', async t => {
  const connection = await createTestDatabase(t)
  const first = await createTestApp(t, { plugins: [datacat], connection })
  const [back, dead] = [await open(first, 6, 6), await open(first, 6, 6)]
  await first.close()
  await sleep(6_500)
  const startedAt = Date.now()
  const second = await createTestApp(t, { plugins: [datacat], connection })
  await eventually('the hang', async () => (await statusOf(second, dead)) === 'hung')
  const crashed = async (): Promise<boolean> => {
    assert.equal((await second.call('POST', `${api}/${back}/heartbeat`, {})).status, 200)
    return (await statusOf(second, dead)) === 'crashed'
  }
  await eventually('the crash', crashed, 10_000)
  assert.ok(Date.now() - startedAt >= 6_000, 'it was called crashed before its interval')
  assert.deepEqual(await eventsOf(second, dead), [
    'application_appears_hung',
    'session_crashed_detected'
  ])
  assert.ok(!(await eventsOf(second, back)).includes('session_crashed_detected'))
})
