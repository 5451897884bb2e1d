import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'
import webhooks from '../../webhooks/plugin.ts'
import rca from '../plugin.ts'
import { fakeDatadog } from './fake-datadog.ts'

interface Receipt {
  readonly event_id: number
}
interface Counted {
  readonly total_count: number
}

/** Webhooks with analyses, and the nightly job by hand. */
async function stored(t: TestContext, env: Record<string, string>) {
  const lines: string[] = []
  const app = await createTestApp(t, {
    plugins: [rca, webhooks],
    fakes: [[DatadogToken, fakeDatadog().service]],
    env: { RAYNE_WEBHOOKS_SETTLE_SECONDS: '0', ...env },
    onLog: line => {
      lines.push(line)
    }
  })
  const post = async (key: string, text = ''): Promise<number> => {
    const body = { monitor_id: 7, alert_status: 'Alert', alert_cycle_key: key, text }
    return (await app.call<Receipt>('POST', '/v1/webhooks/receive', body)).body.event_id
  }
  const age = (id: number, days: number) =>
    app
      .db('webhooks_events')
      .where({ id })
      .update({ received_at: new Date(Date.now() - days * 86_400_000) })
  return {
    app,
    post,
    age,
    night: async (): Promise<void> => {
      await app.jobs.boss.send('webhooks.retain', {})
      await app.drain()
    },
    left: async (): Promise<number[]> => app.db('webhooks_events').orderBy('id').pluck('id'),
    analyses: async (): Promise<number> =>
      (await app.call<Counted>('GET', '/v1/rca')).body.total_count,
    said: (): string[] => lines.filter(line => line.includes('retention: old webhooks'))
  }
}

test('events that are too old go with their bodies and analyses; what is waited for stays', async t => {
  const env = { RAYNE_WEBHOOKS_RETENTION_DAYS: '30' }
  const { app, post, age, night, left, analyses, said } = await stored(t, env)
  const [old, running, young] = [await post('a'), await post('b'), await post('c')]
  await app.drain()
  assert.equal(await analyses(), 3)
  await age(old, 31)
  await age(running, 31)
  await age(young, 29)
  await app.db('rca_analyses').where({ event_id: running }).update({ status: 'running' })
  // A job that failed for good can be run again, and then has to tell of this one.
  const failed = await post('d')
  await age(failed, 31)
  await app
    .db('jobs.job')
    .where('name', 'like', 'on.webhooks.alert-received%')
    .where({ state: 'created' })
    .update({ state: 'failed' })

  await night()
  assert.deepEqual((await left()).map(Number), [running, young, failed])
  assert.equal(await analyses(), 2)
  for (const table of ['webhooks_bodies', 'webhooks_recent', 'webhooks_redeliveries']) {
    assert.deepEqual(await app.db(table).where({ event_id: old }), [], table)
  }
  assert.equal(said().length, 1)
  assert.match(said()[0] ?? '', /"events":1,"bytes":\d\d+,"kept":2,/)
  assert.equal((await app.call<object>('GET', `/v1/webhooks/events/${old}`)).status, 404)

  await app.db('rca_analyses').where({ event_id: running }).update({ status: 'done' })
  await night()
  assert.deepEqual((await left()).map(Number), [young, failed])
})

test('the oldest events beyond the quota of bytes go, however young they are', async t => {
  const env = { RAYNE_WEBHOOKS_QUOTA_MB: '1', RAYNE_WEBHOOKS_RETENTION_DAYS: '0' }
  const { app, post, night, left } = await stored(t, env)
  const ids: number[] = []
  for (const key of ['a', 'b', 'c', 'd']) ids.push(await post(key, 'x'.repeat(300_000)))
  await app.drain()
  await night()
  assert.deepEqual((await left()).map(Number), ids.slice(1))
  await night()
  assert.deepEqual((await left()).map(Number), ids.slice(1))
})

test('nothing goes where nothing is to', async t => {
  const env = { RAYNE_WEBHOOKS_QUOTA_MB: '0', RAYNE_WEBHOOKS_RETENTION_DAYS: '0' }
  const { app, post, age, night, left, said } = await stored(t, env)
  const id = await post('a')
  await app.drain()
  await age(id, 10_000)
  await night()
  assert.deepEqual((await left()).map(Number), [id])
  assert.deepEqual(said(), [])
})
