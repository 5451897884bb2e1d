import assert from 'node:assert/strict'
import test from 'node:test'
import { createTestApp, createTestDatabase, type Test } from '../../../../core/testing.ts'
import { createSimulator } from '../../../../simulator/simulator.ts'
import datadogProxy from '../../../datadog-proxy/plugin.ts'
import demo from '../../../demo/plugin.ts'
import webhooks from '../../../webhooks/plugin.ts'
import type { SimilarIncident } from '../../contract.ts'
import rca from '../../plugin.ts'
import type { Analysis } from '../simulated-app.ts'
import type { Trouble } from './json-server.ts'
import { startOllama } from './ollama-server.ts'
import { startQdrant } from './qdrant-server.ts'

const models = { 'nomic-embed-text': 64, 'another-model': 32 }

/** A world whose alert can be sent again and again, to applications of one database. */
async function world(t: Test) {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const connection = await createTestDatabase(t)
  let sent = 0
  async function open(env: Readonly<Record<string, string>> = {}) {
    const app = await createTestApp(t, {
      plugins: [demo, datadogProxy, rca, webhooks],
      connection,
      env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts), ...env }
    })
    const get = async <T>(path: string): Promise<T> => (await app.call<T>('GET', path)).body
    const alerted = async (): Promise<Analysis> => {
      const body = JSON.stringify({
        ...(JSON.parse(simulator.renderWebhook()) as object),
        alert_cycle_key: `cycle ${(sent += 1)}`,
        date: String(Date.now() - 60_000)
      })
      const { event_id: event } = (
        await app.call<{ event_id: number }>('POST', '/v1/webhooks/receive', body)
      ).body
      await app.drain()
      const { rca: made } = await get<{ rca: { id: string } }>(`/v1/webhooks/events/${event}`)
      return get<Analysis>(`/v1/rca/${made.id}`)
    }
    const places = async (): Promise<(string | null)[]> =>
      app.db('rca_analyses').orderBy('number').pluck('embedded_in')
    return { app, get, alerted, places }
  }
  return { open }
}

/** What must be the same with and without services. */
const ending = ({ status, report, notebook }: Analysis) => ({
  status,
  verdict: report?.verdict,
  component: report?.component,
  hasNotebook: notebook !== null,
  similar: report?.similar?.map(({ analysis_id: id }) => id)
})
const readsAlike = (similar: readonly SimilarIncident[] | undefined): boolean =>
  similar?.some(({ reasons }) => reasons.some(reason => reason.startsWith('reads alike'))) ?? false

for (const store of ['qdrant', 'postgres'] as const)
  test(`${store}: a past incident is found by its meaning too, and its vector is kept`, async t => {
    const { open } = await world(t)
    const ollama = await startOllama(t, models)
    const qdrant = await startQdrant(t, 'a key')
    const { alerted, places, get } = await open({
      OLLAMA_URL: ollama.url,
      ...(store === 'qdrant' ? { QDRANT_URL: qdrant.url, QDRANT_API_KEY: 'a key' } : {})
    })
    const first = await alerted()
    const second = await alerted()
    assert.deepEqual(
      second.report?.similar?.map(({ analysis_id: id }) => id),
      [first.id]
    )
    assert.ok(readsAlike(second.report?.similar))
    const place = `${store}:rayne-incidents-nomic-embed-text-64`
    assert.deepEqual(await places(), [place, place])
    const points = [...(qdrant.collections.values().next().value?.points.keys() ?? [])]
    assert.deepEqual(points.sort(), store === 'qdrant' ? [first.id, second.id].sort() : [])
    const { similar } = await get<{ similar: SimilarIncident[] }>(`/v1/rca/${first.id}/similar`)
    assert.ok(readsAlike(similar) && similar[0]?.analysis_id === second.id)
  })

const troubles: readonly Trouble[] = ['cut', { status: 500 }]
test('services absent, present and dying in the middle: the analysis ends the same way', async t => {
  const { open } = await world(t)
  const first = await (await open()).alerted()
  const without = ending(await (await open()).alerted())
  assert.deepEqual(without.similar, [first.id])
  const ollama = await startOllama(t, models)
  const qdrant = await startQdrant(t)
  const { app, alerted, get } = await open({ OLLAMA_URL: ollama.url, QDRANT_URL: qdrant.url })
  const compare = async (what: string): Promise<Analysis> => {
    const analysis = await alerted()
    // Every one before it is as like.
    assert.deepEqual(
      { ...ending(analysis), similar: undefined },
      { ...without, similar: undefined }
    )
    assert.ok((analysis.report?.similar?.length ?? 0) > 0, what)
    return analysis
  }
  assert.ok(readsAlike((await compare('present')).report?.similar))
  for (const [name, { control }] of Object.entries({ ollama, qdrant }))
    for (const trouble of troubles) {
      // It answers the first request of an analysis and dies at the next, or dies at once.
      for (const healthy of [0, 1]) {
        let asked = 0
        control.trouble = () => ((asked += 1) > healthy ? trouble : undefined)
        await compare(`${name} ${JSON.stringify(trouble)} after ${healthy}`)
      }
      control.trouble = () => undefined
    }
  qdrant.control.trouble = ({ path }) => (path.endsWith('/query') ? 'cut' : undefined)
  const told = await compare('only the search fails')
  const { steps } = await get<{ steps: { text: string }[] }>(`/v1/rca/${told.id}/steps`)
  assert.ok(steps.some(({ text }) => /by their signs alone: Qdrant broke off/.test(text)))
  ollama.stop()
  qdrant.stop()
  assert.equal(readsAlike((await compare('both are gone')).report?.similar), false)
  await app.close()
})

test('a changed model makes all vectors anew, and an analysis is recalled with the new ones', async t => {
  const { open } = await world(t)
  const ollama = await startOllama(t, models)
  const qdrant = await startQdrant(t)
  const env = { OLLAMA_URL: ollama.url, QDRANT_URL: qdrant.url }
  const before = await open(env)
  const ids = [(await before.alerted()).id, (await before.alerted()).id].sort()
  await before.app.close()
  const after = await open({ ...env, RAYNE_RCA_OLLAMA_MODEL: 'another-model' })
  await after.app.drain()
  const place = 'qdrant:rayne-incidents-another-model-32'
  assert.deepEqual(await after.places(), [place, place])
  const held = [...qdrant.collections].map(([name, { points }]) => [
    name,
    [...points.keys()].sort()
  ])
  assert.deepEqual(held, [
    ['rayne-incidents-nomic-embed-text-64', []],
    ['rayne-incidents-another-model-32', ids]
  ])
  assert.ok(readsAlike((await after.alerted()).report?.similar))
})

test('incidents from before there were vectors get theirs, and so do those of a lost collection', async t => {
  const { open } = await world(t)
  const before = await open()
  await before.alerted()
  await before.alerted()
  await before.app.close()
  const ollama = await startOllama(t, models)
  const qdrant = await startQdrant(t)
  const { app, places, alerted } = await open({ OLLAMA_URL: ollama.url, QDRANT_URL: qdrant.url })
  await app.drain()
  const [collection] = [...qdrant.collections.keys()]
  const place = `qdrant:${collection}`
  assert.deepEqual(await places(), [place, place])
  qdrant.collections.clear()
  await alerted()
  await app.drain()
  assert.equal(qdrant.collections.get(collection ?? '')?.points.size, 3)
})

test('the vector of a deleted analysis goes with it, also when Qdrant is away at first', async t => {
  const { open } = await world(t)
  const ollama = await startOllama(t, models)
  const qdrant = await startQdrant(t)
  const { app, alerted } = await open({ OLLAMA_URL: ollama.url, QDRANT_URL: qdrant.url })
  const [gone, kept] = [await alerted(), await alerted()]
  let failures = 1
  qdrant.control.trouble = ({ path }) =>
    path.endsWith('/delete') && (failures -= 1) >= 0 ? { status: 503 } : undefined
  await app
    .db('webhooks_events')
    .where({ id: gone.event_id })
    .update({ received_at: new Date(0) })
  await app.jobs.boss.send('webhooks.retain', {})
  await app.drain()
  await app.db.raw('update jobs.job set start_after = now() where state = ?', ['retry'])
  await app.drain()
  assert.deepEqual([...(qdrant.collections.values().next().value?.points.keys() ?? [])], [kept.id])
})

test('rayne doctor says which model makes vectors and where they are, or what is missing', async t => {
  const { open } = await world(t)
  const ollama = await startOllama(t, models)
  const { app } = await open({ OLLAMA_URL: ollama.url })
  const check = async () =>
    (await app.health.report()).find(({ name }) => name === 'incident-vectors')
  assert.match((await check())?.detail ?? '', /nomic-embed-text makes vectors of 64 numbers/)
  ollama.stop()
  assert.match((await check())?.detail ?? '', /Ollama does not answer/)
})
