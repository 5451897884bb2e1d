import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test from 'node:test'
import { createTestApp, type Test } from '../../../../core/testing.ts'
import datadogProxy from '../../../datadog-proxy/plugin.ts'
import demo from '../../../demo/plugin.ts'
import webhooks from '../../../webhooks/plugin.ts'
import rca from '../../plugin.ts'
import { createQdrant } from '../../service/vectors/qdrant.ts'
import { collectionOf, type VectorStore } from '../../service/vectors/vector-store.ts'
import { createVectorRows } from '../../store/vectors.ts'
import { startQdrant } from './qdrant-server.ts'

interface Opened {
  readonly store: VectorStore
  /** An analysis of an account, by its id. */
  incident(account: string | null): Promise<string>
}
const inTime = (): AbortSignal => AbortSignal.timeout(20_000)
const [near, far] = [collectionOf('a-model', 3), collectionOf('a-model', 2)]

const stores: Readonly<Record<VectorStore['name'], (t: Test) => Promise<Opened>>> = {
  async qdrant(t) {
    const { url } = await startQdrant(t, 'a key')
    return { store: createQdrant({ url, apiKey: 'a key' }), incident: async () => randomUUID() }
  },
  async postgres(t) {
    const app = await createTestApp(t, { plugins: [demo, datadogProxy, rca, webhooks] })
    let event = 0
    return {
      store: createVectorRows(app.db),
      async incident(account) {
        const [row] = await app
          .db('rca_analyses')
          .insert({ event_id: (event += 1), account, alert: '{}', received_at: new Date() })
          .returning('id')
        return row.id
      }
    }
  }
}

for (const [name, open] of Object.entries(stores)) {
  test(`${name}: the nearest of one account come first, with their cosines`, async t => {
    const { store, incident } = await open(t)
    const [a, b, c, other] = [
      await incident('one'),
      await incident('one'),
      await incident('one'),
      await incident('two')
    ]
    const isNew = await store.put(
      near,
      [
        { id: a, account: 'one', vector: [1, 0, 0] },
        { id: b, account: 'one', vector: [0, 1, 0] },
        { id: other, account: 'two', vector: [0.6, 0.8, 0] }
      ],
      inTime()
    )
    assert.equal(isNew, name === 'qdrant')
    assert.equal(await store.put(near, [point(c, [0.8, 0, 0.6])], inTime()), false)
    const asked = { account: 'one', vector: [0.6, 0.8, 0], most: 2 }
    const found = await store.nearest(near, asked, inTime())
    assert.deepEqual(
      found.map(one => [one.id, one.score.toFixed(4)]),
      [
        [b, '0.8000'],
        [a, '0.6000']
      ]
    )
    assert.deepEqual(await store.nearest(near, { ...asked, account: null }, inTime()), [])
  })

  test(`${name}: a vector replaces the former one, is removed, and is in its own collection only`, async t => {
    const { store, incident } = await open(t)
    const id = await incident('one')
    await store.put(near, [point(id, [1, 0, 0])], inTime())
    await store.put(near, [point(id, [0, 1, 0])], inTime())
    const asked = { account: 'one', vector: [1, 0, 0], most: 5 }
    assert.deepEqual(await store.nearest(near, asked, inTime()), [{ id, score: 0 }])
    const elsewhere = { account: 'one', vector: [1, 0], most: 5 }
    assert.deepEqual(await store.nearest(far, elsewhere, inTime()), [])
    await store.remove(far.name, [id], inTime())
    await store.remove(near.name, [id], inTime())
    assert.deepEqual(await store.nearest(near, asked, inTime()), [])
  })

  test(`${name}: an incident without an account is found by those without one`, async t => {
    const { store, incident } = await open(t)
    const id = await incident(null)
    await store.put(near, [{ id, account: null, vector: [0, 0, 1] }], inTime())
    const asked = { account: null, vector: [0, 0, 1], most: 5 }
    assert.deepEqual(await store.nearest(near, asked, inTime()), [{ id, score: 1 }])
  })
}

const point = (id: string, vector: readonly number[]) => ({ id, account: 'one', vector })

test('qdrant: a collection that was deleted is made again, and told to be new', async t => {
  const { url, collections } = await startQdrant(t)
  const store = createQdrant({ url, apiKey: '' })
  const put = () => store.put(near, [point(randomUUID(), [1, 0, 0])], inTime())
  assert.deepEqual([await put(), await put()], [true, false])
  collections.clear()
  assert.deepEqual([await put(), await put()], [true, false])
  assert.equal(collections.get(near.name)?.points.size, 2)
})

test('qdrant: a wrong key is an error that says so', async t => {
  const { url } = await startQdrant(t, 'a key')
  await assert.rejects(
    createQdrant({ url, apiKey: 'another' }).put(near, [point(randomUUID(), [1, 0, 0])], inTime()),
    { code: 'memory-unavailable', status: 401, message: /Qdrant answered 401: .*API key/ }
  )
})

test('collections are of a model and a length, named by letters that every service takes', () => {
  assert.deepEqual(
    [collectionOf('nomic-embed-text', 768), collectionOf('hf.co/Some/Model:Q8_0', 1024)].map(
      ({ name }) => name
    ),
    ['rayne-incidents-nomic-embed-text-768', 'rayne-incidents-hf.co-some-model-q8-0-1024']
  )
})
